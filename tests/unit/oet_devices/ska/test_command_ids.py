"""Command IDs are unique, and clients can read them."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from oet_devices.ska.command_ids import CommandIds


def _moment(command_id: str) -> Decimal:
    # A float has not enough digits for the time of day to seven decimals.
    return Decimal(command_id.split("_")[0])


def test_form_of_an_id() -> None:
    before = time.time()
    moment, number, name = CommandIds().new("Start", 7).split("_")

    assert before - 0.001 <= float(moment) <= time.time() + 0.001
    assert (number, name) == ("7", "Start")


def test_ids_of_the_same_command_and_number_differ_whoever_asks() -> None:
    ids = CommandIds()
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: ids.new("Start", 7), range(2000)))
    assert len(set(made)) == len(made)


def test_a_clock_that_is_put_back_gives_no_id_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = CommandIds()
    first = ids.new("Start", 7)
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert _moment(ids.new("Start", 7)) > _moment(first)


def test_a_name_that_clients_could_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match="has an underscore"):
        CommandIds().new("Run_Activity")
