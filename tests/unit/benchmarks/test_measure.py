"""Figures and their baselines: how they are sampled, compared and judged."""

from collections.abc import Iterator

from tests.benchmarks.core.measure import Comparison, Distribution, Plan, Probe, compare
from tests.benchmarks.core.row import Aspect, Row, Unit, at_least, at_most


def test_the_99th_percentile_leaves_out_one_in_a_hundred() -> None:
    assert Distribution(tuple(range(1, 101))).p99 == 99
    assert Distribution((3.0, 1.0)).p99 == 3.0


def test_the_two_sides_take_turns_and_who_begins_changes() -> None:
    order: list[str] = []

    def probe(name: str) -> Probe:
        def take() -> float:
            order.append(name)
            return 1.0

        return take

    compare(probe("m"), probe("b"), Plan(blocks=3, block_size=2, warm_up=1))
    assert "".join(order) == "mb" + "mmbb" + "bbmm" + "mmbb"


def test_a_disturbance_of_both_sides_does_not_change_the_ratio() -> None:
    # The machine is ten times as slow during the second of three blocks.
    speeds = (1.0, 10.0, 1.0)

    def probe(cost: float) -> Probe:
        values: Iterator[float] = iter([cost * speed for speed in speeds])
        return lambda: next(values)

    comparison = compare(probe(3.0), probe(2.0), Plan(blocks=3, block_size=1, warm_up=0))
    assert comparison.ratio == 1.5
    assert comparison.ratios.values == (1.5, 1.5, 1.5)


def comparison(measured: float, baseline: float) -> Comparison:
    sides = (Distribution((measured,)), Distribution((baseline,)))
    return Comparison(*sides, Distribution((measured / baseline,)))


def test_a_target_that_is_missed_is_told_apart_from_those_reached() -> None:
    targets = (at_most(2), at_most(5, Aspect.MEDIAN), at_most(4, Aspect.P99_RATIO))
    row = Row.of("latency", Unit.MILLISECONDS, comparison(6.0, 2.0), "bare", targets)
    assert row.missed == targets[:2]


def test_a_rate_is_to_be_at_least_what_its_target_says() -> None:
    targets = (at_least(0.6), at_least(12_000, Aspect.MEDIAN))
    row = Row.of("burst", Unit.PER_SECOND, comparison(10_000, 16_000), "bare", targets)
    assert row.missed == targets[1:]
