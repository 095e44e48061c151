"""State of a controller after its server has ended, in any way, and was started again."""

import json
import signal
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import tango
from tests.support.controller_site import Controller, ControllerSite
from tests.support.events import listen
from tests.support.patience import PATIENCE

from oet_devices.ska.enums import HealthState

from .conftest import ACTOR, RegisterController


def test_a_server_that_is_told_to_end_shows_afterwards_what_it_has_shown_before(
    register_controller: RegisterController,
) -> None:
    site = register_controller(HistoryLength="2")
    with site.served() as before, listen(before.proxy, ["events"]) as log:
        ended = before.create(ACTOR, token="ended")
        before.run("Start", str(ended))
        for _ in range(2):
            before.run("Stop", str(before.create(ACTOR)))
        described = before.describe(ended)
        running = before.create(ACTOR, part="steady")
        before.proxy.Start(str(running))
        log.wait_until(lambda log: any('"step 20"' in text for text in log.of("events")))
        before.process.send_signal(signal.SIGTERM)
        before.process.wait()
        # The first is what the attribute held before there was any event.
        seen = [json.loads(text) for text in log.of("events")[1:]]
    with site.served() as after:
        remembered = after.events()
        assert [event["seq"] for event in remembered] == list(range(1, len(remembered) + 1))
        assert all(remembered[event["seq"] - 1] == event for event in seen)
        assert after.proxy.lastEventId == len(remembered)
        assert json.loads(after.proxy.events) == remembered[-1]
        assert [(each["id"], each["state"]) for each in after.listed()] == [
            (running - 1, "STOPPED"),
            (running, "STOPPED"),
        ]
        assert (after.proxy.lastProcedure, after.proxy.runningProcedure) == (running, 0)
        # One that is no longer listed.
        assert after.describe(ended) == described
        assert after.output(ended) == ["ended 0 init", "ended 1 all is quiet"]
        assert after.create(ACTOR) == running + 1


def test_a_procedure_that_lived_when_its_server_was_killed_is_unknown_and_its_processes_are_gone(
    controller: ControllerSite, state: Path
) -> None:
    with controller.served() as before, listen(before.proxy, ["scriptOutput"]) as log:
        procedure_id = before.create(ACTOR, part="family", token="crashed")
        before.proxy.Start(str(procedure_id))
        log.wait_until(lambda log: any("step" in line for line in log.of("scriptOutput")[-1]))
        output = before.output(procedure_id)
        states = before.describe(procedure_id)["history"]["process_states"]
        detached = _kill_with_guardians(before)
    with controller.served() as after:
        summary = after.describe(procedure_id)
        assert summary["state"] == "UNKNOWN"
        *remembered, (last, when) = summary["history"]["process_states"]
        assert remembered == states
        assert last == "UNKNOWN"
        reported = summary["history"]["stacktrace"]
        assert datetime.fromtimestamp(when, UTC).isoformat(timespec="seconds") in reported
        assert "ended while the procedure was alive" in reported
        assert after.output(procedure_id)[: len(output)] == output
        assert after.events(topic="procedure.lifecycle")[-1]["new_state"] == "UNKNOWN"
        assert after.proxy.healthState == HealthState.OK
        # Its working directory has gone with it, and its files are kept.
        assert summary["files"] == [{"name": "family.txt", "size": 4, "kept": True}]
        query = json.dumps({"pid": procedure_id, "name": "family.txt"})
        assert after.proxy.GetFile(query)[1] == b"five"
        assert list(state.glob("run/*")) == []
        _, alive = psutil.wait_procs(detached, timeout=PATIENCE)
        assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def _kill_with_guardians(controller: Controller) -> list[psutil.Process]:
    """Kill a server, and before they notice, those who would then kill what its scripts have detached.

    :returns: what its scripts have detached
    """
    descendants = psutil.Process(controller.process.pid).children(recursive=True)
    family = [process for process in descendants if process.status() != psutil.STATUS_ZOMBIE]
    guardians = [process for process in family if "forkserver" in " ".join(process.cmdline())]
    detached = [process for process in family if "time.sleep" in " ".join(process.cmdline())]
    assert detached
    for process in guardians:
        process.suspend()
    controller.process.kill()
    for process in guardians:
        with suppress(psutil.NoSuchProcess):  # it has ended with its parent
            process.kill()
    return detached


def test_events_that_are_no_longer_kept_are_refused_by_a_number_to_read_on_from(
    register_controller: RegisterController,
) -> None:
    site = register_controller(EventRetention="100")
    with site.served() as controller, listen(controller.proxy, ["lastEventId"]) as log:
        procedure_id = controller.create(ACTOR, part="chatty")
        controller.run("Start", str(procedure_id))
        log.wait_until(lambda log: log.of("lastEventId")[-1] > 2000)
    with site.served() as controller:
        with pytest.raises(tango.DevFailed) as refusal:
            controller.events()
        gone, details = refusal.value.args[:2]
        assert (gone.reason, details.reason) == ("OET_EventsNoLongerKept", "OET_Details")
        after = json.loads(details.desc)["first"] - 1
        kept = controller.events(after)
        assert [event["seq"] for event in kept] == list(range(after + 1, controller.proxy.lastEventId + 1))
        assert len(kept) >= 100
