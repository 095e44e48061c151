"""The reasons of errors that the reference names are those that the device gives."""

from collections.abc import Iterator

import pytest
import tango

from oet_devices.reasons import NOT_AVAILABLE, OTHER_REASONS, RAISED_BY, REASONS

UNKNOWN = "999999"
"""ID of nothing."""
_SCRIPT = '{"script": {"script_type": "filesystem", "script_uri": "file:///nowhere/observe.py"}}'
_TEXT = '{"script_type": "embedded", "script": "%s"}'
ARGUMENTS = [
    "[",
    '{"unknown": 1}',
    UNKNOWN,
    f'{{"pid": {UNKNOWN}}}',
    f'{{"pid": {UNKNOWN}, "name": "beam.png"}}',
    f'{{"pid": {UNKNOWN}, "topic": "operator.skip"}}',
    f'{{"question": {UNKNOWN}, "answer": "yes"}}',
    f'{{"id": {UNKNOWN}}}',
    f'{{"id": {UNKNOWN}, "position": "front"}}',
    f'{{"id": {UNKNOWN}, "note": "clouds"}}',
    f'{{"procedure": {_SCRIPT}}}',
    f'{{"procedure": {_SCRIPT}, "position": {{"after": {UNKNOWN}}}}}',
    _SCRIPT,
    "file:///nowhere/observe.py",
    f'{{"script": {_TEXT % "def main(:"}}}',
    f'{{"script": {_TEXT % "def main(): ..."}, "script_args": {{"main": {{"args": [1]}}}}}}',
]
"""Arguments that some command has to refuse. None of them has an effect."""

SEEN_TOO = {
    "Create": {"OET_ScriptNotAllowed", "OET_ScriptDefective", "OET_ArgumentsDoNotFit"},
    "Start": {"OET_ProcedureNotFound"},
    "DescribeScript": {"OET_ScriptNotAllowed"},
    "GetFile": {"OET_ProcedureNotFound"},
    "QueueAdd": {"OET_ScriptNotAllowed"},
    "QueueMove": {"OET_QueueEntryNotFound"},
    "Pause": {"OET_ProcedureNotFound"},
    "Answer": {"OET_QuestionNotFound"},
}
"""Reasons that have to be among those that the arguments above lead to."""


def documented(command: str) -> set[str]:
    named = [REASONS[kind] for kind in RAISED_BY[command]]
    return {*named, *OTHER_REASONS.get(command, ()), NOT_AVAILABLE}


def given(controller: tango.DeviceProxy, command: str) -> Iterator[str]:
    """Yield the reasons with which a command refuses arguments."""
    whole = controller.command_query(command).in_type != tango.CmdArgType.DevString
    for argument in [int(UNKNOWN)] if whole else ARGUMENTS:
        try:
            controller.command_inout(command, argument)
        except tango.DevFailed as error:
            yield str(error.args[0].reason)


@pytest.mark.parametrize("command", RAISED_BY)
def test_a_command_gives_no_reason_but_those_that_are_documented(
    controller: tango.DeviceProxy, command: str
) -> None:
    reasons = set(given(controller, command))
    assert reasons
    assert reasons <= documented(command)
    assert reasons >= SEEN_TOO.get(command, set())
