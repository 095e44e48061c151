"""Metrics of controllers for Prometheus."""

import re

import pytest
from tests.support.metrics import exposed, sample_figures, sight

from ska_oso_oet.model import DURATION_BOUNDS, DurationCounter

ONE, TWO = 'device="d/1",subarray="1"', 'device="d/2",subarray="2"'


def value(text: str, name: str, labels: str) -> float:
    wanted = sorted(labels.split(","))
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}\{{(.*)\}} (\S+)", line)
        if found and sorted(found[1].split(",")) == wanted:
            return float(found[2])
    raise AssertionError(f"there is no {name}{{{labels}}} in:\n{text}")


def test_each_controller_has_its_own_figures() -> None:
    text = exposed(sight(1, "d/1", sample_figures()), sight(2, "d/2", sample_figures(ended={"FAILED": 7})))
    assert value(text, "oet_procedures_ended_total", f'{ONE},state="FAILED"') == 1
    assert value(text, "oet_procedures_ended_total", f'{TWO},state="FAILED"') == 7
    assert value(text, "oet_queue_state", f'{ONE},state="RUNNING"') == 1
    assert value(text, "oet_queue_state", f'{ONE},state="STOPPED"') == 0
    assert value(text, "oet_controller_info", f'{ONE},version="1.2"') == 1
    assert value(text, "oet_controller_resident_memory_bytes", f'{ONE},kind="workers"') == 4096
    part = f'{ONE},part="main"'
    assert value(text, "oet_procedure_duration_seconds_bucket", f'{part},le="0.01"') == 0
    assert value(text, "oet_procedure_duration_seconds_bucket", f'{part},le="0.03"') == 1
    assert value(text, "oet_procedure_duration_seconds_bucket", f'{part},le="+Inf"') == 1
    assert value(text, "oet_procedure_duration_seconds_sum", part) == 0.02


def test_of_one_that_does_not_answer_nothing_old_is_shown() -> None:
    text = exposed(sight(1, "d/1", sample_figures()), sight(2, "d/2", None))
    assert value(text, "oet_controller_up", TWO) == 0
    assert value(text, "oet_controller_up", ONE) == 1
    assert [line for line in text.splitlines() if "d/2" in line and "oet_procedures" in line] == []


def test_what_is_not_known_is_left_out() -> None:
    text = exposed(sight(1, "d/1", sample_figures(journal_bytes=None, workers=None)))
    assert "oet_journal_size_bytes{" not in text
    assert 'kind="workers"' not in text
    assert value(text, "oet_controller_threads", f'{ONE},kind="server"') == 4


@pytest.mark.parametrize(
    ("seconds", "place"),
    [
        (0.0, 0),
        (DURATION_BOUNDS[0], 0),
        (0.02, 1),
        (DURATION_BOUNDS[-1] + 1, len(DURATION_BOUNDS)),
        (-5.0, 0),
    ],
)
def test_a_duration_is_counted_in_its_class(seconds: float, place: int) -> None:
    counter = DurationCounter(seconds)
    counted = counter.distribution
    assert [index for index, count in enumerate(counted.counts) if count] == [place]
    assert counted.sum == max(0.0, seconds)
    assert counted.cumulative[-1] == ("+Inf", 1)
    counter.add(1e9)
    assert counter.distribution.cumulative[-1] == ("+Inf", 2)
    assert counted.cumulative[-1] == ("+Inf", 1)
