"""Each command and attribute for operators has its counterpart in the `oet` command."""

import click
import pytest
from tango import AttrWriteType
from tango.server import attribute

from oet_devices.controller import OETController
from oet_devices.ska.device import SkaBaseDevice
from ska_oso_oet.cli.app import main

COMMANDS = {
    "Create": ["procedure create", "run"],
    "DescribeActivity": ["activity describe", "activity list"],
    "DescribeProcedure": ["procedure describe"],
    "DescribeScript": ["scripts describe"],
    "ExamineScript": ["scripts describe"],
    "FindSchedulingBlocks": ["activity sbds"],
    "GetEnvironment": ["procedure environment"],
    "GetEvents": ["listen"],
    "GetFile": ["procedure files", "procedure export"],
    "GetFiles": ["procedure files"],
    "GetOutput": ["procedure output"],
    "GetProcedures": ["procedure list"],
    "GetQueue": ["queue list"],
    "DescribeQueueEntry": ["queue describe"],
    "Rerun": ["procedure rerun"],
    "RunActivity": ["activity run"],
    "Start": ["procedure start", "run"],
    "Stop": ["procedure stop", "stop"],
    "Reset": ["reset"],
    "Abort": ["stop"],
    "AbortCommands": ["stop"],
    "GetVersionInfo": ["status"],
    "CheckLongRunningCommandStatus": ["procedure describe"],
    "On": ["admin on"],
    "Off": ["admin off"],
    "Standby": ["admin standby"],
}
"""Commands of the device, and those of `oet` that do the same."""
NOT_FOR_OPERATORS = {"DebugDevice", "GetFigures"}
"""For developers of the device, and for monitoring."""
ATTRIBUTES = {
    "activities": "activity list",
    "events": "listen",
    "lastEventId": "listen",
    "lastOutputLine": "procedure output",
    "lastProcedure": "status",
    "procedureState": "procedure describe",
    "procedureSummary": "procedure describe",
    "procedures": "procedure list",
    "runningProcedure": "status",
    "scriptOutput": "procedure output",
    "scripts": "scripts list",
    "subarrayId": "status",
}
"""Attributes of the device, and the command of `oet` that shows them."""
SETTINGS = {
    "adminMode": "admin-mode",
    "controlMode": "admin control-mode",
    "loggingLevel": "admin log-level",
    "loggingTargets": "admin log-targets",
    "simulationMode": "admin simulation-mode",
    "testMode": "admin test-mode",
}
"""Attributes of any SKA device that can be written, and the command of `oet` that does so."""


def _is_elsewhere(name: str) -> bool:
    """Whether a command or attribute is of a part of the device with commands of its own in `oet`."""
    return name.lower().startswith(("queue", "pause", "resume", "step", "answer", "sendto", "question")) or (
        name in ("progress", "scriptContext")
    )


def _device_commands() -> set[str]:
    found = {
        name for name in dir(OETController) if hasattr(getattr(OETController, name), "__tango_command__")
    }
    return {name for name in found if not _is_elsewhere(name)}


def test_each_command_of_the_device_has_one_of_oet() -> None:
    assert _device_commands() == COMMANDS.keys() | NOT_FOR_OPERATORS


def test_each_setting_of_an_ska_device_has_a_command_of_oet() -> None:
    found = {name: getattr(SkaBaseDevice, name) for name in dir(SkaBaseDevice)}
    written = {
        name
        for name, each in found.items()
        if isinstance(each, attribute) and each.attr_write is not AttrWriteType.READ
    }
    assert written == SETTINGS.keys()


def test_each_attribute_of_the_controller_is_shown_by_oet() -> None:
    declared = {name for name in dir(OETController) if isinstance(getattr(OETController, name), attribute)}
    own = declared - {
        name for name in dir(SkaBaseDevice) if isinstance(getattr(SkaBaseDevice, name), attribute)
    }
    assert {name for name in own if not _is_elsewhere(name)} == ATTRIBUTES.keys()


@pytest.mark.parametrize(
    "words",
    sorted({*ATTRIBUTES.values(), *SETTINGS.values(), *(c for each in COMMANDS.values() for c in each)}),
)
def test_oet_has_the_command(words: str) -> None:
    command: click.Command | None = main
    for word in words.split():
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), word)
    assert command is not None
