"""Properties: what they change, when, and what a wrong one does."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import Uris
from tests.support.events import listen
from tests.support.lrc_client import LrcCall, invoke
from tests.support.operator import RefusedError, operate

from oet_devices.ska.enums import HealthState, TaskStatus

State = tango.DevState


def put(controller: tango.DeviceProxy, properties: Mapping[str, Any]) -> None:
    for name, value in properties.items():
        if value is None:
            controller.delete_property(name)
        else:
            controller.put_property({name: value if isinstance(value, list) else [str(value)]})


def reset(controller: tango.DeviceProxy) -> LrcCall:
    with invoke(controller, "Reset") as call:
        return call.wait_for_end()


@pytest.mark.parametrize("command", ["Init", "Reset"])
def test_a_running_observation_outlives(controller: tango.DeviceProxy, uri: Uris, command: str) -> None:
    with operate(controller) as operator:
        pid = operator.run(uri("waits"), state="RUNNING")
        operator.wait_for_topic(pid, "user.script.announce")
        if command == "Init":
            controller.Init()
        else:
            assert reset(controller).statuses[-1] is TaskStatus.COMPLETED
        assert controller.State() == State.ON
        assert controller.runningProcedure == pid
        assert list(controller.scriptOutput) == ["waiting"]
        assert operator.describe(pid)["state"] == "RUNNING"
        operator.stop(pid)
        assert operator.states(pid)[-2:] == ["RUNNING", "STOPPED"]
        operator.run(uri("prints"))


@pytest.mark.parametrize("command", ["Init", "Reset"])
def test_changed_properties_are_taken_into_account_when_nothing_is_live(
    controller: tango.DeviceProxy, uri: Uris, tmp_path: Path, command: str
) -> None:
    (tmp_path / "elsewhere.py").write_text("def main(): ...\n")
    roots = list(controller.get_property("ScriptRoots")["ScriptRoots"])
    put(controller, {"ScriptRoots": [str(tmp_path)], "HistoryLength": 2})
    try:
        if command == "Init":
            controller.Init()
        else:
            assert reset(controller).statuses[-1] is TaskStatus.COMPLETED
        assert list(controller.scripts) == [(tmp_path / "elsewhere.py").as_uri()]
        with operate(controller) as operator:
            pids = [operator.run((tmp_path / "elsewhere.py").as_uri()) for _ in range(3)]
            assert operator.listed() == pids[-2:]
            with pytest.raises(tango.DevFailed, match="is not below a script root"):
                operator.create(uri("prints"))
    finally:
        put(controller, {"ScriptRoots": roots, "HistoryLength": None})
        assert reset(controller).statuses[-1] is TaskStatus.COMPLETED


def test_numbers_and_events_go_on_when_properties_have_changed(
    controller: tango.DeviceProxy, uri: Uris
) -> None:
    with operate(controller) as operator:
        before = operator.run(uri("prints"))
        operator.wait_for_topic(before, "procedure.lifecycle.complete")
        last = operator.events()[-1]["seq"]
        put(controller, {"StopGracePeriod": 3.5})
        try:
            assert reset(controller).statuses[-1] is TaskStatus.COMPLETED
            assert controller.lastEventId == last
            assert operator.describe()["id"] == before
            after = operator.run(uri("prints"))
            assert after == before + 1
            assert operator.get_events(after=last)[0]["seq"] == last + 1
            assert [event["seq"] for event in operator.events()][-1] > last
        finally:
            put(controller, {"StopGracePeriod": None})
            reset(controller)


def test_changed_properties_wait_until_nothing_is_live(controller: tango.DeviceProxy, uri: Uris) -> None:
    with operate(controller) as operator:
        pid = operator.run(uri("waits"), state="RUNNING")
        put(controller, {"HistoryLength": 3})
        try:
            call = reset(controller)
            assert call.statuses[-1] is TaskStatus.FAILED
            assert call.result is not None
            assert "properties have changed while procedures or activities are live" in call.result[1]
            assert (controller.State(), controller.healthState) == (State.ON, HealthState.DEGRADED)
            assert call.result[1] in controller.Status()
            assert operator.describe(pid)["state"] == "RUNNING"
            operator.stop(pid)
            assert reset(controller).statuses[-1] is TaskStatus.COMPLETED
            assert controller.State() == State.ON
            operator.run(uri("prints"))
        finally:
            put(controller, {"HistoryLength": None})
            reset(controller)


WRONG = {
    "HistoryLength": ("-1", "property HistoryLength is -1: give a number that is not negative"),
    "StandbyWorkers": ("100000", "property StandbyWorkers is 100000: 64 are allowed"),
    "StopGracePeriod": ("-0.5", "property StopGracePeriod is -0.5: give a number that is not negative"),
    "ReadyLimit": ("-1", "property ReadyLimit is -1: give a number that is not negative"),
    "ReadyTimeout": ("-1", "property ReadyTimeout is -1.0: give a number that is not negative"),
    "ScriptSizeLimit": ("0", "property ScriptSizeLimit is 0: give at least 1"),
    "FilesLimit": ("-1", "property FilesLimit is -1: give a number that is not negative"),
    "InitTimeout": ("nan", "property InitTimeout is nan: give a number that is not negative"),
    "EnvironmentTimeout": ("inf", "property EnvironmentTimeout is inf: give a number that is not negative"),
    "EventRetention": ("0", "property EventRetention is 0: give at least 1"),
    "OdaTimeout": ("0", "property OdaTimeout is 0.0: give some seconds"),
    "ScriptRoots": ("scripts", "property ScriptRoots: the script root 'scripts' is not the absolute path of"),
    "GitRepositories": ("github", "property GitRepositories: 'github' is not a pattern of repository URLs"),
    "StateDirectory": ("state", "property StateDirectory is 'state': give an absolute path"),
    "AbortScript": ("/scripts/abort.py", "property AbortScript: '/scripts/abort.py' is not a script URI"),
    "EnvironmentLimit": ("some", "'EnvironmentLimit'"),
    "SkaLevel": ("9", "property SkaLevel is 9: give 1 to 6"),
    "GroupDefinitions": ("dishes", "property GroupDefinitions: 'dishes' is not a JSON object"),
    "LoggingLevelDefault": ("9", "property LoggingLevelDefault is 9: give 0 (OFF) to 5 (DEBUG)"),
    "LoggingTargetsDefault": ("nowhere", "property LoggingTargetsDefault: 'nowhere' is not a logging target"),
}


def test_wrong_properties_are_faults_with_their_reason_until_they_are_fixed(
    fresh: tango.DeviceProxy, uri: Uris
) -> None:
    for name, (value, sentence) in WRONG.items():
        before = list(fresh.get_property(name)[name]) or None
        put(fresh, {name: value})
        with listen(fresh, ["State", "Status"]) as log:
            assert reset(fresh).statuses[-1] is TaskStatus.FAILED, name
            assert fresh.State() == State.FAULT, name
            assert sentence in fresh.Status(), name
            assert fresh.Status().endswith("Fix that, then send Reset."), name
            assert fresh.healthState == HealthState.FAILED, name
            log.wait_for("State", State.FAULT)
        with operate(fresh) as operator, pytest.raises(RefusedError, match="fix what it names, then send"):
            operator.create(uri("prints"))
        put(fresh, {name: before})
        assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED, name
        assert fresh.State() == State.ON, name
        assert fresh.healthState == HealthState.OK, name
    with operate(fresh) as operator:
        operator.run(uri("prints"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot be read: No such file or directory"),
        ("def main(:", "is not valid Python"),
        ("def init(): ...", "main"),
    ],
)
def test_an_abort_script_that_could_not_be_run_is_found_before_it_is_needed(
    fresh: tango.DeviceProxy, tmp_path: Path, text: str | None, sentence: str
) -> None:
    script = tmp_path / "abort.py"
    if text is not None:
        script.write_text(text)
    put(fresh, {"AbortScript": script.as_uri()})
    assert reset(fresh).statuses[-1] is TaskStatus.FAILED
    assert fresh.State() == State.FAULT
    assert "property AbortScript: " in fresh.Status()
    assert sentence in fresh.Status()
    script.write_text("def main(**_): ...")
    assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED
    put(fresh, {"AbortScript": None})


def test_a_wrong_property_is_shown_by_init_too_and_ends_no_observation(
    controller: tango.DeviceProxy, uri: Uris
) -> None:
    with operate(controller) as operator:
        pid = operator.run(uri("waits"), state="RUNNING")
        put(controller, {"HistoryLength": -1})
        try:
            controller.Init()
            assert controller.State() == State.FAULT
            assert "property HistoryLength is -1" in controller.Status()
            assert operator.describe(pid)["state"] == "RUNNING"
            operator.stop(pid)
        finally:
            put(controller, {"HistoryLength": None})
            assert reset(controller).statuses[-1] is TaskStatus.COMPLETED
        assert controller.State() == State.ON
        operator.run(uri("prints"))


def test_a_state_directory_belongs_to_one_controller(
    controller: tango.DeviceProxy, fresh: tango.DeviceProxy, uri: Uris
) -> None:
    own = list(fresh.get_property("StateDirectory")["StateDirectory"])
    put(fresh, {"StateDirectory": list(controller.get_property("StateDirectory")["StateDirectory"])})
    assert reset(fresh).statuses[-1] is TaskStatus.FAILED
    assert fresh.State() == State.FAULT
    with operate(controller) as operator:
        operator.run(uri("prints"))
    put(fresh, {"StateDirectory": own})
    assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED


def test_without_a_usable_state_directory_scripts_run_and_health_says_what_is_missing(
    fresh: tango.DeviceProxy, uri: Uris
) -> None:
    put(fresh, {"StateDirectory": "/dev/null/state"})
    assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED
    assert (fresh.State(), fresh.healthState) == (State.ON, HealthState.DEGRADED)
    assert "/dev/null/state" in fresh.Status()
    with operate(fresh, ["scriptOutput"]) as operator:
        pid = operator.run(uri("waits"), state="RUNNING")
        operator.log.wait_until(lambda log: "waiting" in log.of("scriptOutput")[-1])
        operator.stop(pid)


def test_an_init_that_takes_longer_than_it_may(fresh: tango.DeviceProxy, uri: Uris) -> None:
    put(fresh, {"InitTimeout": 0.2})
    assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED
    with operate(fresh) as operator:
        pid = operator.create(uri("init_waits"))
        operator.wait_for_topic(pid, "procedure.lifecycle.stacktrace")
        assert (
            "took longer than 0.2 s (property InitTimeout)" in operator.describe(pid)["history"]["stacktrace"]
        )
        operator.run(uri("prints"))


def test_a_procedure_that_is_ready_for_longer_than_it_may(fresh: tango.DeviceProxy, uri: Uris) -> None:
    put(fresh, {"ReadyTimeout": 0.4})
    assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED
    with operate(fresh) as operator:
        pid = operator.create(uri("prints"))
        assert reset(fresh).statuses[-1] is TaskStatus.COMPLETED
        operator.wait_for_topic(pid, "procedure.lifecycle.stopped")
        assert "the property ReadyTimeout" in operator.describe(pid)["history"]["stacktrace"]
        operator.run(uri("prints"))
