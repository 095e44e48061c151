"""The next entry is prepared while one runs, and people may still change it."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import wait_until
from tests.support.queues import QueueSite, procedure

from ska_oso_oet.model import (
    ProcedureInput,
    ProcedureState,
    ProcedureSummary,
    QueueAddRequest,
    QueueClearRequest,
    QueueMoveRequest,
    QueueRemoveRequest,
    QueueUpdateRequest,
)
from ska_oso_oet.procedure.application import (
    PrepareProcessCommand,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import FileSystemScript, StateForbidsError

PHASES = """\
import threading
LOG = {log!r}
def note(text):
    with open(LOG, "a") as log:
        log.write(text + "\\n")
note("load")
def init(name=""):
    note("init " + name)
def main(name="", wait=False):
    note("main " + name)
    if wait:
        threading.Event().wait()
"""


class Phases:
    """A queue whose first entry waits, and entries behind it that write down what is done for them.

    :param site: the queue
    """

    def __init__(self, site: QueueSite) -> None:
        self.site = site
        self.script = site.roots / "phases.py"
        self.script.write_text(PHASES.format(log=str(site.log)))
        (self.first,) = site.add("wait")
        site.queue.start()
        site.wait_for_entry(self.first, "RUNNING")
        wait_until(site.runs, "the first script's note")

    def add(self, name: str, **more: Any) -> int:
        """Add an entry, and return its ID."""
        script = {"script_type": "filesystem", "script_uri": "file://phases.py"}
        arguments = {"init": {"kwargs": {"name": name}}, "main": {"kwargs": {"name": name}}}
        request = {"procedure": {"script": script, "script_args": arguments}, **more}
        (entry,) = self.site.queue.add(QueueAddRequest.model_validate(request))
        return entry.id

    def prepared(self, entry_id: int, state: ProcedureState = ProcedureState.IDLE) -> ProcedureSummary:
        """Wait until the script of an entry is loaded, and return its procedure."""

        def is_loaded() -> bool:
            procedure_id = self.site.entry(entry_id).procedure_id
            if procedure_id is None:
                return False
            found = self.site.scripts.summary(procedure_id)
            return found.script_sha256 is not None and found.state is state

        self.site.wait_until(is_loaded, f"entry {entry_id} prepared")
        procedure_id = self.site.entry(entry_id).procedure_id
        assert procedure_id is not None
        return self.site.scripts.summary(procedure_id)

    def end_the_first(self) -> None:
        """Stop the script of the first entry, and have the queue go on."""
        procedure_id = self.site.entry(self.first).procedure_id
        assert procedure_id is not None
        self.site.scripts.stop(StopProcessCommand(procedure_id, run_abort=False))
        self.site.wait_for_entry(self.first, "STOPPED")

    def wait_for_end(self, summary: ProcedureSummary) -> ProcedureSummary:
        """Wait until a procedure has ended, and return it."""
        self.site.wait_until(
            lambda: self.site.scripts.summary(summary.id).state.is_final, f"end of procedure {summary.id}"
        )
        return self.site.scripts.summary(summary.id)


@pytest.fixture
def phases(tolerant: QueueSite) -> Phases:
    return Phases(tolerant)


def test_the_script_is_loaded_ahead_and_init_waits_for_its_turn(phases: Phases) -> None:
    entry_id = phases.add("a")
    early = phases.prepared(entry_id)
    assert phases.site.states()[entry_id] == "WAITING"
    assert phases.site.runs() == ["wait", "load"]
    phases.end_the_first()
    done = phases.site.wait_for_entry(entry_id, "DONE")
    assert phases.site.runs() == ["wait", "load", "init a", "main a"]
    assert done.procedure_id == early.id
    assert [state for state, _ in done.states] == ["WAITING", "PREPARING", "READY", "RUNNING", "DONE"]


def test_init_is_called_ahead_where_the_entry_says_so(phases: Phases) -> None:
    entry_id = phases.add("a", prepare="init")
    phases.prepared(entry_id, ProcedureState.READY)
    assert phases.site.states()[entry_id] == "WAITING"
    assert phases.site.runs() == ["wait", "load", "init a"]
    phases.end_the_first()
    phases.site.wait_for_entry(entry_id, "DONE")
    assert phases.site.runs() == ["wait", "load", "init a", "main a"]


def test_nothing_is_done_ahead_where_the_entry_says_late(phases: Phases) -> None:
    late, behind = phases.add("late", prepare="late"), phases.add("behind")
    assert phases.site.runs() == ["wait"]
    phases.end_the_first()
    phases.site.wait_for_entry(behind, "DONE")
    first, own, *later = phases.site.runs()
    # What is behind it may be loaded before its main or after that has begun.
    done = [first, own, *(step for step in later if step != "load")]
    assert done[:4] == ["wait", "load", "init late", "main late"]
    assert phases.site.entry(late).state == "DONE"


CHANGES: dict[str, Any] = {
    "moved": lambda site, entry: site.queue.move(
        QueueMoveRequest.model_validate({"id": entry, "position": "back"})
    ),
    "updated": lambda site, entry: site.queue.update(
        QueueUpdateRequest.model_validate({"id": entry, **procedure("other")})
    ),
    "removed": lambda site, entry: site.queue.remove(QueueRemoveRequest(id=entry)),
    "cleared": lambda site, entry: site.queue.clear(QueueClearRequest()),
    "overtaken": lambda site, entry: site.add("front", position="front"),
    "stopped": lambda site, entry: site.queue.stop(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_prepared_for_an_entry_that_changes_is_discarded(phases: Phases, change: str) -> None:
    entry_id, behind = phases.add("a"), phases.add("b")
    early = phases.prepared(entry_id)
    CHANGES[change](phases.site, entry_id)
    discarded = phases.wait_for_end(early)
    assert discarded.state is ProcedureState.STOPPED
    assert f"It was prepared for entry {entry_id} of the queue" in (discarded.failure_line or "")
    if change in ("moved", "updated", "overtaken", "stopped"):
        phases.site.wait_until(
            lambda: phases.site.entry(entry_id).procedure_id != early.id, "entry without that procedure"
        )
    phases.end_the_first()
    if change == "stopped":
        phases.site.wait_for_queue("STOPPED")
        phases.site.queue.start()
    phases.site.wait_until(lambda: phases.site.queue.view.length == 0, "end of the queue")
    mains = [run for run in phases.site.runs() if not run.startswith(("load", "init"))]
    assert (
        mains
        == {
            "moved": ["wait", "main b", "main a"],
            "updated": ["wait", "other", "main b"],
            "removed": ["wait", "main b"],
            "cleared": ["wait"],
            "overtaken": ["wait", "front", "main a", "main b"],
            "stopped": ["wait", "main a", "main b"],
        }[change]
    )
    assert behind not in phases.site.states() or change != "cleared"


def test_the_text_that_runs_is_the_one_on_disk_when_the_turn_comes(phases: Phases) -> None:
    entry_id = phases.add("a")
    early = phases.prepared(entry_id)
    phases.script.write_text(phases.script.read_text().replace('"main "', '"changed "'))
    phases.end_the_first()
    done = phases.site.wait_for_entry(entry_id, "DONE")
    assert phases.site.runs() == ["wait", "load", "load", "init a", "changed a"]
    assert done.procedure_id != early.id
    assert phases.wait_for_end(early).state is ProcedureState.STOPPED


def test_a_script_that_disappears_after_it_was_prepared_fails_its_entry(phases: Phases) -> None:
    entry_id = phases.add("a")
    phases.prepared(entry_id)
    phases.script.unlink()
    phases.end_the_first()
    assert "phases.py" in (phases.site.wait_for_entry(entry_id, "FAILED").reason or "")
    assert "init a" not in phases.site.runs()


def test_a_script_that_cannot_be_loaded_warns_and_is_tried_again(phases: Phases) -> None:
    whole = phases.script.read_text()
    phases.script.write_text("import no_such_module\n" + whole)
    entry_id = phases.add("a")
    phases.site.wait_until(
        lambda: "ahead of its turn" in (phases.site.entry(entry_id).reason or ""), "the warning"
    )
    warned = phases.site.entry(entry_id)
    assert (warned.state, warned.procedure_id) == ("WAITING", None)
    assert "no_such_module" in (warned.reason or "")
    phases.script.write_text(whole)
    phases.end_the_first()
    phases.site.wait_for_entry(entry_id, "DONE")
    assert phases.site.runs() == ["wait", "load", "init a", "main a"]


def test_what_is_prepared_for_the_queue_is_not_started_by_hand(phases: Phases) -> None:
    entry_id = phases.add("a", prepare="init")
    early = phases.prepared(entry_id, ProcedureState.READY)
    with pytest.raises(StateForbidsError, match="prepared for an entry of the queue"):
        phases.site.scripts.start(StartProcessCommand(early.id, "main", ProcedureInput()))


def test_procedures_by_hand_go_on_beside_what_is_prepared(phases: Phases) -> None:
    entry_id = phases.add("a")
    early = phases.prepared(entry_id)
    cmd = PrepareProcessCommand(FileSystemScript("file://waits.py"), ProcedureInput())
    by_hand = phases.site.scripts.prepare(cmd).id
    phases.site.wait_until(
        lambda: phases.site.scripts.summary(by_hand).state is ProcedureState.READY, "the one by hand"
    )
    phases.site.queue.stop()
    phases.end_the_first()
    phases.site.scripts.start(StartProcessCommand(by_hand, "main", ProcedureInput()))
    phases.site.queue.start()
    again = phases.prepared(entry_id)
    assert again.id != early.id
    phases.site.scripts.stop(StopProcessCommand(by_hand, run_abort=False))
    assert phases.site.wait_for_entry(entry_id, "DONE").procedure_id == again.id


def test_what_is_repeated_is_prepared_while_it_runs(phases: Phases) -> None:
    entry_id = phases.add("a", repeat=3)
    phases.prepared(entry_id)
    phases.end_the_first()
    phases.site.wait_for_entry(entry_id, "DONE")
    runs = phases.site.runs()
    assert [run for run in runs if run != "load"] == ["wait"] + ["init a", "main a"] * 3
    assert runs.count("load") == 3


def test_a_procedure_that_is_stopped_by_hand_is_prepared_again(phases: Phases) -> None:
    entry_id = phases.add("a")
    early = phases.prepared(entry_id)
    phases.site.scripts.stop(StopProcessCommand(early.id, run_abort=False))
    phases.site.wait_until(lambda: phases.site.entry(entry_id).procedure_id is None, "no procedure")
    phases.end_the_first()
    phases.site.wait_for_entry(entry_id, "DONE")
    assert phases.site.runs() == ["wait", "load", "load", "init a", "main a"]


def test_the_end_of_the_server_leaves_the_prepared_entry_as_it_was(phases: Phases, tmp_path: Path) -> None:
    entry_id = phases.add("a")
    phases.prepared(entry_id)
    phases.site.close()
    left = phases.site.entry(entry_id)
    assert (left.state, left.procedure_id) == ("WAITING", None)


def with_blocks(phases: Phases) -> None:
    """Have the script of the phases take what an activity gives it."""
    text = phases.script.read_text()
    phases.script.write_text(text.replace("wait=False", "wait=False, sb_json=''"))


def put_block(phases: Phases, version: int) -> Path:
    """Store a version of a Scheduling Block, whose activity notes it."""
    arguments = {"main": {"kwargs": {"name": f"version {version}"}}}
    described = {"kind": "filesystem", "path": "file://phases.py", "function_args": arguments}
    return phases.site.put("sbd-1", {"observe": described}, version)


@pytest.mark.parametrize("version", [None, 1])
def test_the_scheduling_block_is_the_newest_unless_its_version_is_named(
    phases: Phases, version: int | None
) -> None:
    site = phases.site
    put_block(phases, 1)
    with_blocks(phases)
    named = {"sbd_id": "sbd-1"} if version is None else {"sbd_uri": f"oda://sbd-1/{version}"}
    request = {"activity": {"activity_name": "observe", **named}}
    (entry,) = site.queue.add(QueueAddRequest.model_validate(request))
    wait_until(lambda: "load" in site.runs(), "the script loaded")
    put_block(phases, 2)
    phases.end_the_first()
    site.wait_for_entry(entry.id, "DONE")
    mains = [run for run in site.runs() if run.startswith("main")]
    assert mains == ["main version 2" if version is None else "main version 1"]


def test_the_scheduling_block_counts_as_it_was_read_while_the_oda_cannot_give_it(phases: Phases) -> None:
    site, block = phases.site, put_block(phases, 1)
    with_blocks(phases)
    request = {"activity": {"activity_name": "observe", "sbd_id": "sbd-1"}}
    (entry,) = site.queue.add(QueueAddRequest.model_validate(request))
    wait_until(lambda: "load" in site.runs(), "the script loaded")
    block.unlink()
    phases.end_the_first()
    site.wait_for_entry(entry.id, "DONE")
    assert [run for run in site.runs() if run.startswith("main")] == ["main version 1"]
