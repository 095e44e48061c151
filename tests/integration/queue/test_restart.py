"""The queue survives its server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.queues import QueueSite

from ska_oso_oet.journal import Document, MemoryJournal
from ska_oso_oet.model import ProcedureHistory, ProcedureState, ProcedureSummary, QueueCondition, QueueEntry
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.queue import CONDITION_KIND, ENTRY_KIND, QueueSettings


def journal_of_the_dead(folder: Path, *, procedure: ProcedureState | None) -> MemoryJournal:
    """Return the journal of a server that was killed while its first entry had begun.

    :param procedure: state of the procedure of that entry; None if there was none yet
    """
    from tests.support.queues import procedure as request

    def entry(entry_id: int, state: str, **more: Any) -> Document:
        kept = QueueEntry.model_validate(
            {
                "id": entry_id,
                "state": state,
                "request": request(f"n{entry_id}"),
                "added": 1.0,
                "states": [[state, 1.0]],
                "rank": -entry_id,
                **more,
            }
        )
        return Document(ENTRY_KIND, entry_id, kept.model_dump_json(), True)

    journal = MemoryJournal()
    begun = entry(3, "PREPARING") if procedure is None else entry(3, "RUNNING", procedure_id=1)
    state = QueueCondition.model_validate({"state": "RUNNING"})
    damaged = Document(ENTRY_KIND, 4, '{"id":4}', True)
    journal.append(
        [],
        [
            begun,
            # The procedure that was prepared for it has died with the server.
            entry(1, "WAITING", procedure_id=7, activity_id=8),
            entry(2, "WAITING"),
            damaged,
            Document(CONDITION_KIND, 1, state.model_dump_json(), True),
        ],
    )
    if procedure is not None:
        script = {"script_type": "filesystem", "script_uri": "file://records.py"}
        summary = ProcedureSummary.model_validate(
            {
                "id": 1,
                "script": script,
                "history": ProcedureHistory([(procedure, 2.0)]),
                "state": procedure,
                "created": 2.0,
                "queue_entry": 3,
            }
        )
        journal.append([], [Document(PROCEDURE, 1, summary.model_dump_json(), not procedure.is_final)])
    return journal


@pytest.mark.parametrize(
    ("procedure", "entry"),
    [
        (None, "UNKNOWN"),
        (ProcedureState.RUNNING, "UNKNOWN"),
        (ProcedureState.COMPLETE, "DONE"),
        (ProcedureState.FAILED, "FAILED"),
    ],
)
def test_what_had_begun_has_ended_and_the_rest_is_as_it_was(
    tmp_path: Path, procedure: ProcedureState | None, entry: str
) -> None:
    site = QueueSite(tmp_path, journal=journal_of_the_dead(tmp_path, procedure=procedure))
    try:
        assert site.states() == {3: entry, 2: "WAITING", 1: "WAITING"}
        assert (site.entry(1).procedure_id, site.entry(1).activity_id) == (None, None)
        shown = site.shown()
        assert shown["state"] == "STOPPED"
        assert shown["reason"] == "The server ended while the queue was RUNNING: send QueueStart to continue"
        assert "queue_entry 4" in (site.bus.journal.damaged.sentence or "")
        assert site.add("new") == [5]
        site.queue.start()
        site.wait_for_entry(5, "DONE")
        assert site.runs() == ["n2", "n1", "new"]
    finally:
        site.close()


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[QueueSite]:
    """A queue that runs from the start, after one that was shut down while its first entry ran."""

    class Kept(MemoryJournal):
        def close(self) -> None:
            pass

    journal = Kept()
    before = QueueSite(tmp_path, journal=journal)
    running, _ = before.add("wait", "rest")
    before.queue.start()
    before.wait_for_entry(running, "RUNNING")
    before.close()
    assert before.entry(running).state == "STOPPED"
    assert before.queue.view.condition.reason == "The server was shut down: send QueueStart to continue"
    site = QueueSite(tmp_path, journal=journal, settings=QueueSettings(autostart=True))
    yield site
    site.close()


def test_with_autostart_the_rest_runs_after_a_restart(restarted: QueueSite) -> None:
    restarted.wait_for_entry(2, "DONE")
    # The script of the first entry may have been stopped before it could write.
    assert restarted.runs() in (["wait", "rest"], ["rest"])
