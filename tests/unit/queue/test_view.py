"""The queue as clients see it: pages and estimates."""

import time
from typing import Any

import orjson
import pytest

from ska_oso_oet.journal import Document
from ska_oso_oet.model import (
    FileSystemScript,
    ProcedureHistory,
    ProcedureState,
    ProcedureSummary,
    QueueCondition,
    QueueEntry,
    QueueQuery,
)
from ska_oso_oet.queue import CONDITION_KIND, ENTRY_KIND, QueueEntryNotFoundError, QueueView
from ska_oso_oet.queue.durations import DurationBook

FAR = 4_000_000_000.0


def ran(uri: str, seconds: float, init: float = 0.0) -> ProcedureSummary:
    """Return a procedure that has run for some time."""
    states = [
        (ProcedureState.LOADING, 0.0),
        (ProcedureState.RUNNING, 100.0),
        (ProcedureState.READY, 100.0 + init),
        (ProcedureState.RUNNING, 200.0),
        (ProcedureState.READY, 200.0 + seconds - init),
        (ProcedureState.COMPLETE, 900.0),
    ]
    return ProcedureSummary(
        id=1,
        script=FileSystemScript(uri),
        history=ProcedureHistory(states),
        state=ProcedureState.COMPLETE,
    )


class Shown:
    """A view, and what is put into it."""

    def __init__(self) -> None:
        self.book = DurationBook()
        self.view = QueueView(2, self.book)

    def run(self, state: str = "RUNNING") -> None:
        """Have the queue be in a state."""
        condition = QueueCondition.model_validate({"state": state})
        self.view.show([Document(CONDITION_KIND, 1, "", True, condition)])

    def put(self, entry_id: int, name: str = "a", state: str = "WAITING", **request: Any) -> None:
        """Have an entry be in a state, now."""
        procedure = {"script": {"script_type": "filesystem", "script_uri": f"file:///{name}.py"}}
        entry = QueueEntry.model_validate(
            {
                "id": entry_id,
                "state": state,
                "request": {"procedure": procedure, **request},
                "added": 1.0,
                "states": [["WAITING", 1.0], [state, time.time()]],
                "rank": float(entry_id),
            }
        )
        text = entry.model_dump_json()
        self.view.show([Document(ENTRY_KIND, entry_id, text, not entry.state.is_final, entry)])

    def page(self, **query: Any) -> dict[str, Any]:
        """Return a page."""
        page: dict[str, Any] = orjson.loads(self.view.page(QueueQuery.model_validate(query)))
        return page

    def learn(self, *seconds: float, name: str = "a") -> None:
        """Have runs of a script be known."""
        for each in seconds:
            self.book.learn([f"file:///{name}.py"], ran(f"file:///{name}.py", each))


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_pages_show_all_entries_once_and_those_that_have_ended_first(shown: Shown) -> None:
    for entry_id in range(1, 12):
        shown.put(entry_id)
    for entry_id in (1, 2, 3):
        shown.put(entry_id, state="DONE")
    shown.put(4, state="REMOVED")
    found, page = [], shown.page(limit=3)
    assert page["length"] == 7
    while True:
        found += [entry["id"] for entry in page["entries"]]
        if page["next"] is None:
            break
        page = shown.page(limit=3, after=page["next"])
    assert found == [2, 3, 5, 6, 7, 8, 9, 10, 11]
    with pytest.raises(QueueEntryNotFoundError):
        shown.page(after=4)


def test_the_expected_duration_is_the_median_of_the_newest_runs(shown: Shown) -> None:
    shown.put(1)
    assert shown.page()["entries"][0]["expected_duration"] is None
    shown.learn(1000.0, *[10.0] * 4, *[20.0] * 5)
    entry = shown.page()["entries"][0]
    assert entry["expected_duration"] == 20.0
    assert entry["expected_from"] == {"of": "file:///a.py", "runs": 9}
    shown.book.learn(["file:///a.py"], ran("file:///a.py", 1.0), former=True)
    assert shown.page()["entries"][0]["expected_from"]["runs"] == 9


def test_init_counts_for_the_duration_and_the_wait_for_the_turn_does_not(shown: Shown) -> None:
    shown.put(1)
    shown.book.learn(["file:///a.py"], ran("file:///a.py", 12.0, init=2.0))
    assert shown.page()["entries"][0]["expected_duration"] == 12.0


def test_a_run_in_which_the_clock_was_put_back_says_nothing(shown: Shown) -> None:
    shown.put(1)
    shown.learn(-3600.0)
    assert shown.page()["entries"][0]["expected_duration"] is None
    shown.learn(10.0, -3600.0, -3600.0)
    assert shown.page()["entries"][0]["expected_duration"] == 10.0


def test_entries_are_expected_one_after_the_other(shown: Shown) -> None:
    shown.learn(10.0)
    shown.run()
    begun = time.time()
    shown.put(1, state="PREPARING")
    shown.put(2, repeat=3)
    shown.put(3, not_before=FAR)
    shown.put(4, name="unknown")
    shown.put(5)
    first, second, third, unknown, last = shown.page()["entries"]
    assert (first["estimated_start"], first["estimated_end"]) == (None, pytest.approx(begun + 10, abs=5))
    assert second["estimated_start"] == first["estimated_end"]
    assert second["estimated_end"] == pytest.approx(second["estimated_start"] + 30)
    assert (third["estimated_start"], third["estimated_end"]) == (FAR, FAR + 10)
    assert (unknown["estimated_start"], unknown["estimated_end"]) == (FAR + 10, None)
    assert (last["estimated_start"], last["expected_duration"]) == (None, 10.0)
    # A later page goes on where the one before ends.
    assert shown.page(after=2)["entries"][0]["estimated_start"] == FAR
    shown.run("STOPPED")
    assert [entry["estimated_start"] for entry in shown.page()["entries"]] == [None] * 5


def test_what_takes_longer_than_expected_may_end_at_any_moment(shown: Shown) -> None:
    shown.learn(0.0)
    shown.run()
    shown.put(1, state="PREPARING")
    shown.put(2)
    first, second = shown.page()["entries"]
    assert first["estimated_end"] == second["estimated_start"] == pytest.approx(time.time(), abs=5)
