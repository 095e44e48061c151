"""Measuring on a machine that has other things to do, too.

A figure and its baseline are measured in turns, in small blocks: what disturbs one block disturbs its
neighbour as well. The ratio of two figures is the median of the ratios of such neighbours.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Probe = Callable[[], float]
"""Takes one sample: seconds, events per second, or whatever the figure is in."""


@dataclass(frozen=True)
class Plan:
    """Number of samples to take.

    :param blocks: how often the two sides take turns
    :param block_size: samples of one side before it is the other's turn
    :param warm_up: samples of each side that are thrown away first
    """

    blocks: int
    block_size: int
    warm_up: int = 2


@dataclass(frozen=True)
class Distribution:
    """Samples of one side.

    :param values: all samples
    """

    values: tuple[float, ...]

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self.values)

    @property
    def median(self) -> float:
        """The value that half of the samples do not exceed."""
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        """The value that 99 % of the samples do not exceed; the greatest, if there are less than 100."""
        ordered = sorted(self.values)
        return ordered[math.ceil(0.99 * len(ordered)) - 1]


@dataclass(frozen=True)
class Comparison:
    """Samples of a figure beside those of its baseline.

    :param measured: samples of the figure
    :param baseline: samples of the baseline
    :param ratios: the ratio of the medians in each pair of neighbouring blocks
    """

    measured: Distribution
    baseline: Distribution
    ratios: Distribution

    @property
    def ratio(self) -> float:
        """How many times the baseline the figure is, typically."""
        return self.ratios.median

    @property
    def p99_ratio(self) -> float:
        """How many times the baseline's 99th percentile that of the figure is."""
        return self.measured.p99 / self.baseline.p99


def sample(probe: Probe, plan: Plan) -> Distribution:
    """Measure a figure that has no baseline.

    :param probe: takes one sample
    :param plan: how many samples to take
    """
    _take(probe, plan.warm_up)
    return Distribution(tuple(_take(probe, plan.blocks * plan.block_size)))


def compare(measured: Probe, baseline: Probe, plan: Plan) -> Comparison:
    """Measure a figure and its baseline in turns.

    :param measured: takes one sample of the figure
    :param baseline: takes one sample of the baseline
    :param plan: how many samples to take of each
    """
    for probe in (measured, baseline):
        _take(probe, plan.warm_up)
    samples: tuple[list[float], list[float]] = ([], [])
    ratios: list[float] = []
    for block in range(plan.blocks):
        pair = [0.0, 0.0]
        # Who comes first changes with each block, for the first may profit or suffer from that.
        for side in (0, 1) if block % 2 == 0 else (1, 0):
            taken = _take((measured, baseline)[side], plan.block_size)
            samples[side].extend(taken)
            pair[side] = statistics.median(taken)
        ratios.append(pair[0] / pair[1])
    return Comparison(*(Distribution(tuple(values)) for values in (*samples, ratios)))


def _take(probe: Probe, count: int) -> Sequence[float]:
    return [probe() for _ in range(count)]
