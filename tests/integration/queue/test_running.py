"""The queue runs its entries in their order, and stops where it has to."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support.patience import PATIENCE
from tests.support.queues import QueueSite, procedure

from ska_oso_oet.model import (
    CheckpointRequest,
    ProcedureInput,
    ProcedureState,
    QueueAddRequest,
    QueueClearRequest,
    QueueEntryState,
    QueueMoveRequest,
    QueueRemoveRequest,
    QueueUpdateRequest,
    Requester,
)
from ska_oso_oet.procedure.application import (
    PrepareProcessCommand,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import ArgumentsError, FileSystemScript, ScriptNotFoundError
from ska_oso_oet.queue import QueueEntryBegunError, QueueEntryNotFoundError

WAITING, PREPARING, READY, RUNNING, DONE = list(QueueEntryState)[:5]


def test_entries_run_in_the_order_that_people_have_made(site: QueueSite) -> None:
    a, b, c = site.add("a", "b", "c")
    (front,) = site.add("front", position="front")
    (between,) = site.add("between", position={"after": a})
    (removed,) = site.add("removed")
    site.queue.move(QueueMoveRequest.model_validate({"id": c, "position": {"before": b}}))
    site.queue.remove(QueueRemoveRequest(id=removed))
    assert list(site.states()) == [front, a, between, c, b]
    assert site.runs() == []
    site.queue.start()
    entry = site.wait_for_entry(b, "DONE")
    assert site.runs() == ["front", "a", "between", "c", "b"]
    assert [state for state, _ in entry.states] == [WAITING, PREPARING, READY, RUNNING, DONE]
    assert entry.procedure_id is not None
    assert site.scripts.summary(entry.procedure_id).queue_entry == b
    assert site.shown()["state"] == "RUNNING"


def test_an_activity_runs_as_an_entry(site: QueueSite) -> None:
    site.put("sbd-1", {"observe": "good.py", "doomed": "fails.py"})
    requests: list[dict[str, Any]] = [
        {"activity": {"activity_name": name, "sbd_id": "sbd-1"}} for name in ("observe", "doomed")
    ]
    first, second = site.queue.add(QueueAddRequest.model_validate({"entries": requests}))
    site.queue.start()
    done = site.wait_for_entry(first.id, "DONE")
    assert done.activity_id is not None
    activity = site.activities.summary(done.activity_id)
    assert (activity.queue_entry, activity.pid) == (first.id, done.procedure_id)
    failed = site.wait_for_entry(second.id, "FAILED")
    assert failed.reason == "RuntimeError: the antenna is stuck"
    assert site.wait_for_queue("STOPPED") == f"Entry {second.id} is FAILED: {failed.reason}"


def test_a_failure_stops_the_queue_and_a_start_goes_on(site: QueueSite) -> None:
    failing, last = site.add("fail", "last")
    site.queue.start()
    assert site.wait_for_queue("STOPPED") == f"Entry {failing} is FAILED: RuntimeError: the antenna is stuck"
    assert site.states() == {failing: "FAILED", last: "WAITING"}
    site.queue.start()
    site.wait_for_entry(last, "DONE")
    assert site.runs() == ["fail", "last"]


def test_a_script_that_disappears_fails_its_entry_alone(site: QueueSite) -> None:
    gone, rest = site.add("gone", "rest")
    (site.roots / "records.py").unlink()
    site.queue.start()
    site.wait_for_queue("STOPPED")
    assert site.states() == {gone: "FAILED", rest: "WAITING"}
    assert "records.py" in (site.entry(gone).reason or "")


@pytest.mark.parametrize("now", [False, True])
def test_a_stop_lets_the_entry_end_or_stops_it(site: QueueSite, now: bool) -> None:
    waiting, rest = site.add("wait", "rest")
    site.queue.start()
    entry = site.wait_for_entry(waiting, "RUNNING")
    condition = site.queue.stop(now=now, by=Requester(user="operator"))
    assert condition.state == "STOPPING"
    if not now:
        assert site.states()[waiting] == "RUNNING"
        assert entry.procedure_id is not None
        site.scripts.stop(StopProcessCommand(entry.procedure_id, run_abort=False))
    assert site.wait_for_queue("STOPPED") == "It was stopped by operator"
    assert site.states() == {waiting: "STOPPED", rest: "WAITING"}


def test_what_has_begun_or_is_gone_cannot_be_changed(site: QueueSite) -> None:
    begun, rest = site.add("wait", "rest")
    site.queue.start()
    site.wait_for_entry(begun, "RUNNING")
    for refused, error in ((begun, QueueEntryBegunError), (99, QueueEntryNotFoundError)):
        with pytest.raises(error):
            site.queue.remove(QueueRemoveRequest(id=refused))
        with pytest.raises(error):
            site.queue.update(QueueUpdateRequest(id=refused, note="x"))
        with pytest.raises(error):
            site.add("x", position={"before": refused})
        with pytest.raises(error):
            site.queue.move(QueueMoveRequest.model_validate({"id": refused, "position": "back"}))
    (first,) = site.add("first", position="front")
    assert list(site.states()) == [begun, first, rest]
    assert [entry.id for entry in site.queue.clear(QueueClearRequest())] == [first, rest]
    assert site.states() == {begun: "RUNNING"}


def test_a_batch_is_added_whole_or_not_at_all(site: QueueSite) -> None:
    misspelt = procedure("b")
    misspelt["procedure"]["script_args"]["main"]["kwargs"]["nmae"] = "b"
    with pytest.raises(ArgumentsError, match="nmae"):
        site.queue.add(QueueAddRequest.model_validate({"entries": [procedure("a"), misspelt]}))
    lost = {"procedure": {"script": {"script_type": "filesystem", "script_uri": "file://lost.py"}}}
    with pytest.raises(ScriptNotFoundError):
        site.queue.add(QueueAddRequest.model_validate({"entries": [procedure("a"), lost]}))
    assert site.states() == {}


def test_an_entry_is_updated_and_repeated(site: QueueSite) -> None:
    (entry_id,) = site.add("before", note="first light")
    site.queue.update(QueueUpdateRequest.model_validate({"id": entry_id, **procedure("after"), "repeat": 3}))
    assert site.entry(entry_id).request.note == "first light"
    site.queue.start()
    site.wait_for_entry(entry_id, "DONE")
    assert site.runs() == ["after"] * 3


def test_an_entry_starts_in_its_window_or_is_skipped(site: QueueSite) -> None:
    late, last = site.add("late", window=10, not_before="2020-01-01T00:00:00Z") + site.add("last")
    assert site.entry(late).reason == "'not_before' has passed already: it starts when its turn comes"
    site.queue.start()
    site.wait_for_entry(last, "DONE")
    skipped = site.entry(late)
    assert skipped.state == "SKIPPED"
    assert "window of 10 s" in (skipped.reason or "")
    assert site.runs() == ["last"]


def test_the_queue_waits_until_an_entry_may_start(site: QueueSite) -> None:
    soon = time.time() + 0.5
    early, last = site.add(
        "early",
        not_before=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(soon)) + f"{soon % 1:.3f}"[1:] + "Z",
    ) + site.add("last")
    site.queue.start()
    site.wait_for_entry(last, "DONE")
    assert site.runs() == ["early", "last"]
    assert dict(site.entry(early).states)[PREPARING] >= soon - 0.002


def test_the_queue_waits_for_what_runs_by_hand(site: QueueSite) -> None:
    (entry_id,) = site.add("queued")
    by_hand = site.scripts.prepare(
        PrepareProcessCommand(FileSystemScript("file://waits.py"), ProcedureInput())
    ).id
    site.scripts.manager.run(by_hand, call="main", run_args=ProcedureInput(), force_start=True)
    site.queue.start()
    assert site.states()[entry_id] == "WAITING"
    site.scripts.stop(StopProcessCommand(by_hand, run_abort=False))
    site.wait_for_entry(entry_id, "DONE")
    assert site.runs() == ["queued"]


def test_many_clients_change_the_queue_at_once(site: QueueSite) -> None:
    gate = threading.Barrier(20)

    def client(number: int) -> list[int]:
        gate.wait(PATIENCE)
        ids = site.add(*(f"{number}-{name}" for name in "abc"))
        site.queue.move(QueueMoveRequest.model_validate({"id": ids[0], "position": {"after": ids[2]}}))
        assert [entry.id for entry in site.queue.remove(QueueRemoveRequest(id=ids[1]))] == [ids[1]]
        return [ids[2], ids[0]]

    with ThreadPoolExecutor(20) as clients:
        kept = list(clients.map(client, range(20)))
    order = list(site.states())
    assert sorted(order) == sorted(entry_id for ids in kept for entry_id in ids)
    for last, first in kept:
        assert order.index(last) + 1 == order.index(first)


def test_a_procedure_that_somebody_else_starts_is_followed(site: QueueSite) -> None:
    waiting, rest = site.add("wait", "rest")
    site.queue.start()
    entry = site.wait_for_entry(waiting, "RUNNING")
    assert entry.procedure_id is not None
    with pytest.raises(RuntimeError):
        site.scripts.start(StartProcessCommand(entry.procedure_id, "main", ProcedureInput()))
    site.scripts.stop(StopProcessCommand(entry.procedure_id, run_abort=False))
    assert site.wait_for_queue("STOPPED") == f"Entry {waiting} is STOPPED"
    assert site.states()[rest] == "WAITING"


CHECKPOINTS = """\
import pathlib, time
from ska_oso_oet.interaction import checkpoint
def main():
    while not pathlib.Path({end!r}).exists():
        checkpoint("scan")
        time.sleep(0.01)
"""


def test_the_queue_is_paused_while_its_script_is(site: QueueSite, tmp_path: Path) -> None:
    end = tmp_path / "end"
    (site.roots / "checkpoints.py").write_text(CHECKPOINTS.format(end=str(end)))
    script = {"script_type": "filesystem", "script_uri": "file://checkpoints.py"}
    entries = [{"procedure": {"script": script}}, procedure("rest")]
    first, rest = site.queue.add(QueueAddRequest.model_validate({"entries": entries}))
    site.queue.start()
    pid = site.wait_for_entry(first.id, "RUNNING").procedure_id
    site.scripts.operator.pause(CheckpointRequest(pid=pid))
    assert site.wait_for_queue("PAUSED") == f"Procedure {pid} is PAUSED: send Resume to continue"
    assert site.queue.start().state == "PAUSED"
    assert site.states() == {first.id: "RUNNING", rest.id: "WAITING"}
    site.scripts.operator.resume(CheckpointRequest(pid=pid))
    site.wait_for_queue("RUNNING")
    site.scripts.operator.pause(CheckpointRequest(pid=pid))
    site.wait_for_queue("PAUSED")
    assert site.queue.stop().state == "STOPPING"
    end.touch()
    site.scripts.operator.resume(CheckpointRequest(pid=pid))
    site.wait_for_queue("STOPPED")
    assert site.states() == {first.id: "DONE", rest.id: "WAITING"}


def test_a_start_that_its_script_refuses_lets_those_who_wait_look_again(site: QueueSite) -> None:
    (site.roots / "counts.py").write_text("def main(count: int = 1): ...\n")
    cmd = PrepareProcessCommand(FileSystemScript("file://counts.py"), ProcedureInput())
    by_hand = site.scripts.prepare(cmd).id
    site.wait_until(lambda: site.scripts.summary(by_hand).state is ProcedureState.READY, "the one by hand")
    reported = threading.Event()
    site.scripts.call_when_idle(reported.set)
    with pytest.raises(ArgumentsError):
        site.scripts.start(StartProcessCommand(by_hand, "main", ProcedureInput("many")))
    assert reported.wait(PATIENCE)
