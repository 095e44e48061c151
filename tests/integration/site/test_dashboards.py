"""The Taranta dashboards against the device that they show. Taranta itself is not part of the tests."""

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.support.site import PROJECT
from tests.support.tango_stack import database

DASHBOARDS = sorted((PROJECT / "charts" / "ska-oso-oet-tango" / "dashboards").glob("*.wj"))
TARANTA = "taranta://"
JSON_ATTRIBUTES = {"procedures", "activities", "events"}

Widget = Mapping[str, Any]


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def widgets(request: pytest.FixtureRequest) -> list[Widget]:
    """The widgets of a dashboard."""
    path: Path = request.param
    dashboard = json.loads(path.read_text())
    assert dashboard["name"]
    found: list[Widget] = dashboard["widget"]
    return found


def inputs(widgets: list[Widget], key: str) -> Iterator[tuple[Widget, Any]]:
    """Yield the widgets that have an input, and the input."""
    return ((widget, widget["inputs"][key]) for widget in widgets if key in widget["inputs"])


def test_there_is_one_for_a_controller_and_one_for_four_subarrays() -> None:
    assert {path.stem for path in DASHBOARDS} == {"oet-controller", "oet-four-subarrays"}


def test_every_device_is_registered_by_the_files_that_ship(widgets: list[Widget], tango_host: str) -> None:
    registered = set(database(tango_host).get_device_name("OETController/*", "OETController"))
    shown = [device for _, device in inputs(widgets, "device")]
    shown += [named["device"] for key in ("attribute", "command") for _, named in inputs(widgets, key)]
    assert {device.removeprefix(TARANTA) for device in shown} <= registered
    assert all(device.startswith(TARANTA) for device in shown)


def test_every_attribute_is_one_of_the_device(widgets: list[Widget], controller: tango.DeviceProxy) -> None:
    live = {config.name.lower(): config for config in controller.attribute_list_query_ex()}
    for widget, named in inputs(widgets, "attribute"):
        config = live[named["attribute"]]
        spectrum = config.data_format == tango.AttrDataFormat.SPECTRUM
        assert spectrum == (widget["type"] == "SPECTRUM_TABLE"), config.name
        for choice in widget["inputs"].get("writeValues", ()):
            assert config.enum_labels[int(choice["value"])] == choice["title"]


def test_every_command_is_one_of_the_device(widgets: list[Widget], controller: tango.DeviceProxy) -> None:
    live = {command.cmd_name: command for command in controller.command_list_query()}
    for widget, named in inputs(widgets, "command"):
        command = live[named["command"]]
        assert named["acceptedType"] == str(command.in_type), command.cmd_name
        assert named["outtype"] == str(command.out_type), command.cmd_name
        if widget["type"] == "COMMAND_FILE":
            assert named["acceptedType"] == "DevString"


def test_json_that_is_shown_can_be_read(widgets: list[Widget], controller: tango.DeviceProxy) -> None:
    shown = {named["attribute"] for _, named in inputs(widgets, "attribute")}
    assert shown >= JSON_ATTRIBUTES
    for name in JSON_ATTRIBUTES:
        json.loads(controller.read_attribute(name).value)


def test_what_an_operator_needs_is_there(widgets: list[Widget]) -> None:
    assert {named["command"] for _, named in inputs(widgets, "command")} >= {
        "Create",
        "Start",
        "Stop",
        "RunActivity",
    }
    attributes = {named["attribute"] for _, named in inputs(widgets, "attribute")}
    assert attributes >= {"status", "healthstate", "procedurestate", "scriptoutput"}


def test_no_widget_covers_another(widgets: list[Widget]) -> None:
    assert len({widget["id"] for widget in widgets}) == len(widgets)
    for one, other in combinations(widgets, 2):
        apart = (
            one["x"] + one["width"] <= other["x"]
            or other["x"] + other["width"] <= one["x"]
            or one["y"] + one["height"] <= other["y"]
            or other["y"] + other["height"] <= one["y"]
        )
        assert apart, (one["id"], other["id"])
