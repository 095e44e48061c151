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

INPUTS = {
    "ATTRIBUTE WRITER DROPDOWN": (
        "attribute submitButtonTitle dropdownTitle writeValues writeValuesSpectrum showDevice showTangoDB "
        "showAttribute textColor backgroundColor size font dropdownButtonCss submitButtonCss customCss"
    ),
    "ATTRIBUTE_DISPLAY": (
        "attribute precision format showUnit showDevice jsonCollapsed showTangoDB showAttribute "
        "alignTextCenter alignValueRight scientificNotation showEnumLabels showAttrQuality textColor "
        "backgroundColor size font widgetCss"
    ),
    "ATTRIBUTE_LOGGER": (
        "attribute linesDisplayed showLastValue showDevice showTangoDB showAttribute showTime OuterDivCSS "
        "LastValueCSS TableCSS"
    ),
    "COMMAND": (
        "title buttonText command commandArgs showDevice showTangoDB showCommand requireConfirmation "
        "displayOutput alignButtonRight placeholder textColor backgroundColor size font btnCss widgetCss"
    ),
    "DEVICE_STATUS": (
        "device state showDeviceName showTangoDB showStateString alignValueRight showStateLED LEDSize "
        "textColor backgroundColor textSize linkTo widgetCss"
    ),
    "LABEL": (
        "text textColor backgroundColor borderWidth borderColor font automaticResize size linkTo customCss"
    ),
    "PARAMETRIC_WIDGET": "name variable",
    "SPECTRUM_TABLE": (
        "attribute layout showDevice showTangoDB showAttribute showIndex showLabel showSpecificIndexValue "
        "fontSize precision customCss"
    ),
    "command_file": (
        "uploadBtnLabel buttonLabel command showDevice showCommand requireConfirmation displayOutput "
        "textColor backgroundColor size font uploadButtonCss sendButtonCss alignSendButtonRight"
    ),
}
"""Types of widgets, with what they take, as exports of Taranta 2.10.3 have them."""

HEIGHTS = {
    "ATTRIBUTE WRITER DROPDOWN": (3, 40),
    "ATTRIBUTE_DISPLAY": (3, 40),
    "ATTRIBUTE_LOGGER": (10, 40),
    "COMMAND": (4, 5),
    "DEVICE_STATUS": (3, 5),
    "LABEL": (3, 5),
    "PARAMETRIC_WIDGET": (3, 5),
    "SPECTRUM_TABLE": (8, 40),
    "command_file": (4, 5),
}
"""Least and greatest heights on the grid of 10 pixels that dashboards in use give to widgets."""
DROPDOWN, CHOICE = 3.8, 3
"""Height of a dropdown, and of each of its choices when it is unfolded."""
SCREEN = 90
"""Height of what is seen without scrolling."""
NEWEST = {"lastoutputline", "proceduresummary", "procedurestate"}
SHOW_ATTRIBUTE = {"None", "Label", "Name"}

Widget = Mapping[str, Any]


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """A dashboard."""
    path: Path = request.param
    content: Mapping[str, Any] = json.loads(path.read_text())
    assert content["name"]
    return content


@pytest.fixture
def widgets(dashboard: Mapping[str, Any]) -> list[Widget]:
    """The widgets of a dashboard."""
    found: list[Widget] = dashboard["widget"]
    return found


def inputs(widgets: list[Widget], key: str) -> Iterator[tuple[Widget, Any]]:
    """Yield the widgets that have an input, and the input."""
    return ((widget, widget["inputs"][key]) for widget in widgets if key in widget["inputs"])


def test_there_is_one_for_a_controller_and_one_for_four_subarrays() -> None:
    assert {path.stem for path in DASHBOARDS} == {"oet-controller", "oet-four-subarrays"}


def test_taranta_knows_every_widget_and_what_it_is_given(widgets: list[Widget]) -> None:
    for widget in widgets:
        assert set(widget["inputs"]) == set(INPUTS[widget["type"]].split()), widget["id"]
        assert widget["inputs"].get("showAttribute", "None") in SHOW_ATTRIBUTE


def test_widgets_have_the_sizes_of_dashboards_in_use(widgets: list[Widget]) -> None:
    for widget in widgets:
        least, greatest = HEIGHTS[widget["type"]]
        assert least <= widget["height"] <= greatest, widget["id"]
        choices = len(widget["inputs"].get("writeValues", ()))
        assert widget["height"] >= (DROPDOWN + CHOICE * choices if choices else 0)


def test_integers_have_no_decimals(widgets: list[Widget], controller: tango.DeviceProxy) -> None:
    live = {config.name.lower(): config for config in controller.attribute_list_query_ex()}
    for widget, named in inputs(widgets, "attribute"):
        if "precision" in widget["inputs"] and live[named["attribute"]].data_type != tango.DevString:
            assert widget["inputs"]["precision"] == 0, named


def test_the_newest_is_seen_without_scrolling(dashboard: Mapping[str, Any], widgets: list[Widget]) -> None:
    commands = {"longrunningcommandresult"} if dashboard["name"] == "OET controller" else set()
    seen = {
        named["attribute"]
        for widget, named in inputs(widgets, "attribute")
        if widget["y"] + widget["height"] <= SCREEN
    }
    assert seen >= NEWEST | commands
    loggers = [widget["inputs"]["attribute"]["attribute"] for widget in widgets if "LOGGER" in widget["type"]]
    assert {"lastoutputline", "events"} <= set(loggers)


def test_every_device_is_registered_by_the_files_that_ship(
    dashboard: Mapping[str, Any], widgets: list[Widget], tango_host: str
) -> None:
    registered = set(database(tango_host).get_device_name("OETController/*", "OETController"))
    variables = {variable["name"]: variable for variable in dashboard["variables"]}
    shown = {device for _, device in inputs(widgets, "device")}
    shown |= {named["device"] for key in ("attribute", "command") for _, named in inputs(widgets, key)}
    assert {device.removeprefix(TARANTA) for device in shown - set(variables)} <= registered
    assert all(device.startswith(TARANTA) for device in shown - set(variables))
    assert {variable["device"] for variable in variables.values()} <= registered
    assert {variable["class"] for variable in variables.values()} <= {"OETController"}


def test_the_dashboard_of_one_controller_can_show_another(
    dashboard: Mapping[str, Any], widgets: list[Widget]
) -> None:
    chosen = {variable for _, variable in inputs(widgets, "variable")}
    assert chosen == {variable["name"] for variable in dashboard["variables"]}
    if dashboard["name"] == "OET controller":
        assert {named["device"] for _, named in inputs(widgets, "command")} == chosen


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
        assert named["intypedesc"] == command.in_type_desc, command.cmd_name
        assert named["outtypedesc"] == command.out_type_desc, command.cmd_name
        if widget["type"] == "command_file":
            assert named["acceptedType"] == "DevString"


def test_json_that_is_shown_can_be_read(widgets: list[Widget], controller: tango.DeviceProxy) -> None:
    shown = {named["attribute"] for _, named in inputs(widgets, "attribute")}
    assert shown >= JSON_ATTRIBUTES
    for name in JSON_ATTRIBUTES:
        json.loads(controller.read_attribute(name).value)


def test_what_an_operator_needs_is_there(dashboard: Mapping[str, Any], widgets: list[Widget]) -> None:
    from_files = {w["inputs"]["command"]["command"] for w in widgets if w["type"] == "command_file"}
    assert dashboard["name"] != "OET controller" or from_files == {"Create", "Start", "Stop", "RunActivity"}
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
