"""Figures of a controller for monitoring."""

import json

import tango
from tests.support.controllers import embedded
from tests.support.operator import operate
from tests.support.patience import wait_until

from ska_oso_oet.model import ControllerFigures


def figures(controller: tango.DeviceProxy) -> ControllerFigures:
    return ControllerFigures.model_validate_json(controller.GetFigures())


def test_procedures_are_counted_however_few_are_listed(controller: tango.DeviceProxy) -> None:
    before = figures(controller)
    with operate(controller) as operator:
        for _ in range(12):
            pid = operator.run(embedded("def init(): ...\ndef main(): ..."))
        operator.wait_for_topic(pid, "procedure.lifecycle.complete")
        failed = operator.run(embedded("def main(): 1 / 0"), state="FAILED")
        operator.wait_for_topic(failed, "procedure.lifecycle.failed")
        waiting = operator.prepare(embedded("def main(): ..."))
        after = figures(controller)
        operator.stop(waiting)
    assert len(json.loads(controller.procedures)) < 13
    assert after.ended["COMPLETE"] == before.ended["COMPLETE"] + 12
    assert after.ended["FAILED"] == before.ended["FAILED"] + 1
    for part, count in (("main", 13), ("ready", 14), ("load", 14)):
        more = sum(after.durations[part].counts) - sum(before.durations[part].counts)
        assert (part, more) == (part, count)
    assert after.durations["ready"].sum > before.durations["ready"].sum
    assert after.procedures_ready == before.procedures_ready + 1
    assert after.events >= before.events + 13 * 10
    # Create and Start of each, and the Create of the one that waits.
    assert after.requests >= before.requests + 27
    assert sum(after.event_lag.counts) > sum(before.event_lag.counts) + 100


def test_entries_of_the_queue_are_counted(controller: tango.DeviceProxy) -> None:
    before = figures(controller)
    script = {"script_type": "embedded", "script": "def main(): ..."}
    controller.QueueAdd(json.dumps({"entries": [{"procedure": {"script": script}}] * 2}))
    assert figures(controller).queue_length == 2
    controller.QueueStart("")

    def done() -> bool:
        return figures(controller).queue_ended["DONE"] == before.queue_ended["DONE"] + 2

    wait_until(done, "both are done", seen=controller.GetFigures)
    after = figures(controller)
    assert (after.queue_length, after.queue_state) == (0, "RUNNING")
    assert sum(after.queue_wait.counts) == sum(before.queue_wait.counts) + 2
    controller.QueueStop("")


def test_disk_and_processes_are_looked_at_in_the_background(controller: tango.DeviceProxy) -> None:
    def known() -> ControllerFigures | None:
        found = figures(controller)
        return found if found.server is not None else None

    found = wait_until(known, "processes are known")
    assert found is not None
    assert found.server is not None
    assert found.workers is not None
    assert found.server.processes == 1
    assert found.workers.processes >= 1
    assert found.server.resident_bytes > 1 << 20
    assert found.journal_bytes is not None
    assert found.journal_bytes > 1000
    assert found.state_directory_free_bytes is not None
