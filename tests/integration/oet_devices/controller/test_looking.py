"""Reads of earlier events and records, also by late clients."""

import json
from pathlib import Path

import pytest
import tango
from tests.integration.oet_devices.controller.conftest import Uris
from tests.support.controllers import embedded
from tests.support.events import listen
from tests.support.operator import Operator, operate
from tests.support.tango_stack import device_proxy

SHOWN = ["events", "procedures", "lastEventId", "runningProcedure", "lastProcedure", "scriptOutput"]


def reason(raised: pytest.ExceptionInfo[tango.DevFailed]) -> str:
    return str(raised.value.args[0].reason)


def test_before_the_first_procedure_everything_reads_as_empty(fresh: tango.DeviceProxy) -> None:
    assert fresh.procedures == "[]"
    assert fresh.events == "{}"
    assert (fresh.lastEventId, fresh.runningProcedure, fresh.lastProcedure) == (0, 0, 0)
    assert fresh.procedureState.name == "UNKNOWN"
    assert list(fresh.scriptOutput) == []
    assert fresh.GetEvents("") == "[]"
    for command, argument in (("DescribeProcedure", 0), ("GetOutput", ""), ("Start", "")):
        with pytest.raises(tango.DevFailed, match="no procedure has been created yet") as raised:
            fresh.command_inout(command, argument)
        assert reason(raised) == "OET_ProcedureNotFound"


def test_a_client_that_comes_late_sees_all_that_others_have_seen(
    tango_host: str, controller: tango.DeviceProxy, uri: Uris
) -> None:
    with operate(controller) as early:
        ended = early.run(uri("hello_world"), name="you")
        live = early.run(uri("waits"), state="RUNNING")
        early.wait_for_topic(live, "user.script.announce")
        seen = early.events()
    late_proxy = device_proxy(tango_host, controller.dev_name())
    with listen(late_proxy, SHOWN) as log:
        first = {event.attribute: event.value for event in log.events}
    assert json.loads(first["events"]) == seen[-1]
    assert first["lastEventId"] == seen[-1]["seq"]
    assert first["runningProcedure"] == first["lastProcedure"] == live
    assert first["scriptOutput"] == ("waiting",)
    shown = {summary["id"]: summary["state"] for summary in json.loads(first["procedures"])}
    assert (shown[ended], shown[live]) == ("COMPLETE", "RUNNING")
    with operate(controller) as late:
        assert late.get_events(after=seen[0]["seq"] - 1) == seen
        assert late.get_output(pid=ended)["lines"][-1] == "Hello you!"
        late.stop(live)


def test_of_those_that_have_ended_the_newest_are_listed_and_all_can_be_described(
    operator: Operator, uri: Uris
) -> None:
    live = operator.prepare(uri("waits"))
    ended = [operator.run(uri("prints"), count=number) for number in range(12)]
    operator.log.wait_until(lambda _: operator.describe(ended[-1])["state"] == "COMPLETE")
    assert operator.listed() == [live, *ended[-10:]]
    assert operator.describe(ended[0])["script_args"]["main"]["kwargs"] == {"count": 0}
    assert operator.describe()["id"] == ended[-1]
    assert operator.get_output(pid=ended[1])["lines"] == ["line 0"]


def test_a_script_is_described_without_being_executed(
    controller: tango.DeviceProxy, script_root: Path
) -> None:
    path = script_root / "described.py"
    path.write_text('"""Größe."""\nprint(1 / 0)\ndef main(n: int = 3):\n    """Count."""\n')
    try:
        found = json.loads(controller.DescribeScript(path.as_uri()))
        assert (found["uri"], found["doc"]) == (path.as_uri(), "Größe.")
        (main,) = found["functions"].values()
        assert main["doc"] == "Count."
        assert main["parameters"]["properties"]["n"]["default"] == 3
        path.write_text(f"#{'x' * 70_000}\ndef main(): ...\n")
        for argument, expected in (
            (path.as_uri(), "OET_ScriptNotAtHand"),
            ("git:///observe.py", "OET_ScriptNotAllowed"),
            ((script_root / "gone.py").as_uri(), "OET_ScriptNotFound"),
            ("file:///etc/passwd", "OET_ScriptNotAllowed"),
            ("", "OET_InvalidArgument"),
        ):
            with pytest.raises(tango.DevFailed) as raised:
                controller.DescribeScript(argument)
            assert reason(raised) == expected
    finally:
        path.unlink()


def test_events_by_number_count_and_topic(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("countdown"), seconds=0.01, steps=5)
    operator.wait_for_topic(pid, "procedure.lifecycle.complete")
    heard = operator.events()
    start = heard[0]["seq"] - 1
    assert operator.get_events(after=start, limit=3) == heard[:3]
    assert operator.get_events(after=heard[-1]["seq"]) == []
    progress = [event for event in heard if event["topic"] == "user.script.progress"]
    assert operator.get_events(after=start, topic="user.script.progress") == progress
    assert operator.get_events(after=start, topic="user.script.progress", limit=2) == progress[:2]
    of_users = [event for event in heard if event["topic"].startswith("user.")]
    assert operator.get_events(after=start, topic="user.") == of_users
    assert operator.get_events(after=start, topic="no.such") == []


def test_long_events_are_answered_a_few_at_a_time(operator: Operator) -> None:
    program = (
        "from pubsub import pub\n"
        "def main(count):\n"
        "    for number in range(count):\n"
        "        pub.sendMessage('user.script.announce', msg=f'{number:>1000000}')\n"
    )
    pid = operator.run(embedded(program), 40)
    operator.wait_for_topic(pid, "procedure.lifecycle.complete")
    heard = operator.events()
    start = heard[0]["seq"] - 1
    reported = operator.get_events(after=start)
    assert 1 < len(reported) < 40
    while more := operator.get_events(after=reported[-1]["seq"]):
        reported += more
    assert reported == heard


def test_output_line_by_line(operator: Operator, uri: Uris) -> None:
    pid = operator.run(uri("prints"), count=25)
    assert operator.get_output(limit=2)["lines"] == ["line 0", "line 1"]
    assert operator.get_output(pid=pid, after=23) == {
        "lines": ["line 23", "line 24"],
        "next": 25,
        "dropped": 0,
        "ended": True,
    }
    assert operator.get_output(pid=pid, after=25) == {"lines": [], "next": 25, "dropped": 0, "ended": True}
    assert operator.get_output(pid=pid, after=99)["next"] == 25


def test_the_last_lines_of_much_output(operator: Operator, uri: Uris) -> None:
    operator.run(uri("prints"), count=1000)
    assert list(operator.controller.scriptOutput) == [f"line {number}" for number in range(744, 1000)]


def test_procedures_that_nobody_knows(operator: Operator) -> None:
    for number in (99_999, -1):
        with pytest.raises(tango.DevFailed, match=f"No information available for PID={number}") as raised:
            operator.describe(number)
        assert reason(raised) == "OET_ProcedureNotFound"
    with pytest.raises(tango.DevFailed) as raised:
        operator.get_output(pid=99_999)
    assert reason(raised) == "OET_ProcedureNotFound"


def test_the_scripts_that_can_be_run(controller: tango.DeviceProxy, uri: Uris, script_root: Path) -> None:
    before = list(controller.scripts)
    assert {uri("waits"), uri("hello_world")} <= set(before)
    new, helper = script_root / "brand new.py", script_root / "helper.py"
    with listen(controller, ["scripts"]) as log:
        helper.write_text("def point(): ...\n")
        new.write_text("def main(): ...\n")
        try:
            # Nobody reads the attribute meanwhile.
            log.wait_until(lambda log: len(log.of("scripts")) == 2)
            assert set(log.of("scripts")[-1]) - set(before) == {new.as_uri()}
            assert list(controller.scripts) == list(log.of("scripts")[-1])
            helper.write_text("def init(): ...\n")
            log.wait_until(lambda log: helper.as_uri() in log.of("scripts")[-1])
        finally:
            new.unlink()
            helper.unlink()
        log.wait_until(lambda log: list(log.of("scripts")[-1]) == before)
        assert list(controller.scripts) == before
    with operate(controller) as operator:
        for script in (uri("waits"), uri("hello_world")):
            assert operator.prepare(script)


def test_each_procedure_has_its_own_events_and_output(operator: Operator, uri: Uris) -> None:
    pids = [operator.prepare(uri("prints")) for _ in range(3)]
    for number, pid in enumerate(pids):
        operator.start(pid, 2, 10 * number)
        operator.wait_for_topic(pid, "procedure.lifecycle.complete")
    for number, pid in enumerate(pids):
        first = 10 * number
        assert operator.get_output(pid=pid)["lines"] == [f"line {first}", f"line {first + 1}"]
