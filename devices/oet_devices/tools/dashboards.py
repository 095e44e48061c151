"""The Taranta dashboards that ship: of one controller, and of four subarrays."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..controller import OETController
from ..ska.enums import AdminMode
from .taranta import (
    COMMAND_LINE,
    LINE,
    Column,
    DeviceWidgets,
    Widget,
    dashboard,
    device_choice,
    dropdown_height,
    label,
)

_TOP = 5
_VARIABLE = "controller"
_MODES = (AdminMode.ONLINE, AdminMode.OFFLINE, AdminMode.ENGINEERING)

_BRIEF = (("healthState", "Health"), ("adminMode", "Admin mode"), ("procedureState", "Procedure state"))
_NEWEST = (("procedureSummary", "Procedure"), ("lastOutputLine", "Output"), ("question", "Question"))
_QUEUE = (("queueState", "Queue"), ("queueLength", "Entries of the queue"))
_HOLD = (("Pause", "Pause"), ("Resume", "Resume"))
_COMMANDS = (("Create", "Create"), ("Start", "Start"), ("Stop", "Stop"), ("RunActivity", "Run activity"))
_FILES = {
    "Create": "JSON file to create from",
    "Start": "JSON file to start with",
    "Stop": "JSON file to stop with",
    "RunActivity": "JSON file of an activity",
}


def dashboards() -> dict[str, str]:
    """Return the dashboards as JSON texts, by the names of their files."""
    return {"oet-controller.wj": _text(_controller()), "oet-four-subarrays.wj": _text(_four_subarrays())}


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _controller() -> dict[str, Any]:
    """Return the dashboard of one controller: the most important values are at the top."""
    device = DeviceWidgets(OETController, _VARIABLE)
    head, choice = Column(1, 1, 64), Column(66, 1, 33)
    head.add(label("Observation Execution Tool", title=True), LINE)
    choice.add(device_choice("Controller", _VARIABLE), LINE)
    columns = [_state_column(device), _command_column(device), _newest_column(device)]
    below = max(column.y for column in columns) + 1
    columns += [_left_below(device, below), _right_below(device, below)]
    variable = {
        "_id": "0000000000000000000000e7",
        "name": _VARIABLE,
        "class": "OETController",
        "device": "mid-oet/controller/01",
    }
    return dashboard("OET controller", _all([head, choice, *columns]), [variable])


def _state_column(device: DeviceWidgets) -> Column:
    column = Column(1, _TOP, 32)
    column.add(device.state(), LINE)
    brief = (*_BRIEF, ("runningProcedure", "Running procedure"), ("lastProcedure", "Last procedure"), *_QUEUE)
    for attribute, text in (*brief, ("subarrayId", "Subarray"), ("versionId", "Version")):
        column.add(device.display(attribute, text), LINE)
    column.add(device.display("status", "Status"), 9)
    choices = [(mode.name, int(mode)) for mode in _MODES]
    column.add(device.dropdown("adminMode", "Admin mode", choices), dropdown_height(len(choices)))
    return column


def _command_column(device: DeviceWidgets) -> Column:
    column = Column(34, _TOP, 31)
    column.add(label("Commands"), LINE)
    for name, text in _COMMANDS:
        column.add(device.command(name, text, confirm=name == "Stop"), COMMAND_LINE)
    for index, (name, text) in enumerate(_HOLD):
        column.add(device.command(name, text), COMMAND_LINE, part=(index, 2))
    column.add(device.command("Answer", "Answer"), COMMAND_LINE)
    column.add(device.command("QueueStart", "Start queue"), COMMAND_LINE, part=(0, 2))
    column.add(device.command("QueueStop", "Stop queue", confirm=True), COMMAND_LINE, part=(1, 2))
    column.add(device.command("Abort", "Abort", confirm=True), COMMAND_LINE, part=(0, 2))
    column.add(device.command("Reset", "Reset", confirm=True), COMMAND_LINE, part=(1, 2))
    for name, text in _COMMANDS:
        column.add(device.command_of_file(name, text, _FILES[name]), COMMAND_LINE + 1)
    return column


def _newest_column(device: DeviceWidgets) -> Column:
    column = Column(66, _TOP, 33)
    column.add(label("Newest"), LINE)
    for attribute, text in _NEWEST:
        column.add(device.display(attribute, text), LINE)
    # Two lines: the ID of the command that ended last, and its result.
    column.add(device.table("longRunningCommandResult", "Command that ended last"), 8)
    column.add(label("Output, newest first"), LINE)
    column.add(device.logger("lastOutputLine", "Output", 20), 16)
    column.add(label("Commands that execute"), LINE)
    column.add(device.table("lrcExecuting", "Executing"), 9)
    return column


def _left_below(device: DeviceWidgets, top: int) -> Column:
    column = Column(1, top, 48)
    column.add(label("Procedures"), LINE)
    column.add(device.display("procedures", "Procedures"), 22)
    column.add(label("Output of the script, oldest first"), LINE)
    column.add(device.table("scriptOutput", "Output"), 26)
    column.add(label("Commands that have ended, oldest first"), LINE)
    column.add(device.table("lrcFinished", "Finished"), 16)
    return column


def _right_below(device: DeviceWidgets, top: int) -> Column:
    column = Column(50, top, 49)
    column.add(label("Activities"), LINE)
    column.add(device.display("activities", "Activities"), 22)
    column.add(label("Events, newest first"), LINE)
    column.add(device.logger("events", "Events", 30), 26)
    column.add(label("Scripts that can be run"), LINE)
    column.add(device.table("scripts", "Scripts"), 16)
    return column


def _four_subarrays() -> dict[str, Any]:
    """Return the dashboard of four subarrays, side by side."""
    head = Column(1, 1, 119)
    head.add(label("Observation Execution Tool: four subarrays", title=True), LINE)
    columns = [_subarray_column(number) for number in range(1, 5)]
    return dashboard("OET four subarrays", _all([head, *columns]), [])


def _subarray_column(number: int) -> Column:
    device = DeviceWidgets(OETController, f"taranta://mid-oet/controller/{number:02}")
    column = Column(30 * number - 29, _TOP, 29)
    column.add(label(f"Subarray {number}"), LINE)
    column.add(device.state(), LINE)
    for attribute, text in (*_BRIEF, *_NEWEST, *_QUEUE):
        column.add(device.display(attribute, text), LINE)
    column.add(device.display("status", "Status"), 8)
    for name, text in _COMMANDS:
        column.add(device.command(name, text, confirm=name == "Stop"), COMMAND_LINE)
    for index, (name, text) in enumerate(_HOLD):
        column.add(device.command(name, text), COMMAND_LINE, part=(index, 2))
    column.add(device.command("Answer", "Answer"), COMMAND_LINE)
    column.add(device.logger("lastOutputLine", "Output, newest first", 20), 14)
    column.add(device.display("procedures", "Procedures"), 16)
    column.add(device.display("activities", "Activities"), 12)
    column.add(device.table("scriptOutput", "Output, oldest first"), 16)
    column.add(device.logger("events", "Events, newest first", 20), 14)
    return column


def _all(columns: Iterable[Column]) -> Iterator[Widget]:
    for column in columns:
        yield from column
