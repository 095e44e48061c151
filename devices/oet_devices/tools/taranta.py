"""Widgets of Taranta dashboards, with the inputs that exports of Taranta 2.10.3 have.

Positions and sizes are in units of Taranta's grid, 10 pixels.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tango import AttrDataFormat, CmdArgType

from ..ska.event_device import EventDevice

Widget = dict[str, Any]
"""A widget without its place: type and inputs."""

LINE = 3
"""Height of a label, a state, or a value of one line."""
COMMAND_LINE = 4
"""Height of a command."""

_TEXT = {"textColor": "#000000", "backgroundColor": "#ffffff", "size": 1, "font": "Helvetica"}
_INTEGERS = frozenset({CmdArgType.DevLong, CmdArgType.DevLong64, CmdArgType.DevEnum, CmdArgType.DevShort})


def dropdown_height(choices: int) -> int:
    """Return the height of a dropdown: unfolded, it has a line for each choice.

    :param choices: how many there are
    """
    return LINE * choices + 4


def label(text: str, *, title: bool = False) -> Widget:
    """Return a text.

    :param text: the text
    :param title: whether it is that of the whole dashboard
    """
    return _widget(
        "LABEL",
        text=text,
        textColor="#1a1a1a",
        backgroundColor="#dfe6ee" if title else "#eef1f5",
        borderWidth=0,
        borderColor="#000000",
        font="Helvetica",
        size=1.4 if title else 1,
        linkTo="",
        customCss="",
        automaticResize="Disabled",
    )


def device_choice(name: str, variable: str) -> Widget:
    """Return the choice of the device that a variable stands for."""
    return _widget("PARAMETRIC_WIDGET", name=name, variable=variable)


class DeviceWidgets:
    """Widgets that show one device.

    :param device_class: its class, which declares its attributes and commands
    :param device: its name, ``taranta://domain/family/member``, or a variable that stands for it
    """

    def __init__(self, device_class: type[EventDevice], device: str) -> None:
        self._model = device_class.TangoClassClass
        self._device = device

    def state(self) -> Widget:
        """Return State, as a text and a light."""
        return _widget(
            "DEVICE_STATUS",
            device=self._device,
            state={"device": None, "attribute": None},
            showDeviceName=True,
            showTangoDB=False,
            showStateString=True,
            showStateLED=True,
            LEDSize=1,
            textColor="#000000",
            backgroundColor="#ffffff",
            textSize=1,
            widgetCss="",
            alignValueRight=True,
            linkTo="",
        )

    def display(self, attribute: str, text: str) -> Widget:
        """Return the value of a scalar."""
        definition = self._model.attr_list.get(attribute)
        is_integer = definition is not None and definition.attr_type in _INTEGERS
        return _widget(
            "ATTRIBUTE_DISPLAY",
            attribute=self._attribute(attribute, text),
            precision=0 if is_integer else 2,
            showDevice=False,
            jsonCollapsed=False,
            showTangoDB=False,
            showAttribute="Label",
            scientificNotation=False,
            showEnumLabels=True,
            showAttrQuality=False,
            alignTextCenter=False,
            alignValueRight=False,
            **_TEXT,
            widgetCss="",
            format="",
            showUnit=True,
        )

    def table(self, attribute: str, text: str) -> Widget:
        """Return the items of a spectrum, a line each."""
        assert self._model.attr_list[attribute].attr_format == AttrDataFormat.SPECTRUM  # noqa: S101
        return _widget(
            "SPECTRUM_TABLE",
            attribute=self._attribute(attribute, text),
            layout="vertical",
            showDevice=False,
            showTangoDB=False,
            showAttribute="Label",
            showIndex=False,
            showLabel=True,
            showSpecificIndexValue="",
            fontSize=14,
            precision=0,
            customCss="",
        )

    def logger(self, attribute: str, text: str, lines: int) -> Widget:
        """Return the last values of a scalar, newest first."""
        return _widget(
            "ATTRIBUTE_LOGGER",
            attribute=self._attribute(attribute, text),
            linesDisplayed=lines,
            showLastValue=False,
            showDevice=False,
            showTangoDB=False,
            showAttribute="Label",
            showTime=True,
            OuterDivCSS="",
            LastValueCSS="",
            TableCSS="",
        )

    def dropdown(self, attribute: str, text: str, choices: Iterable[tuple[str, int]]) -> Widget:
        """Return a choice of values to write.

        :param choices: titles and values
        """
        return _widget(
            "ATTRIBUTE WRITER DROPDOWN",
            attribute=self._attribute(attribute, text),
            submitButtonTitle="Set",
            dropdownTitle=text,
            writeValues=[{"title": title, "value": str(value)} for title, value in choices],
            writeValuesSpectrum={"device": None, "attribute": None, "label": ""},
            showDevice=False,
            showTangoDB=False,
            showAttribute="Label",
            **_TEXT,
            dropdownButtonCss="",
            submitButtonCss="",
            customCss="",
        )

    def command(self, name: str, text: str, *, confirm: bool = False) -> Widget:
        """Return a button that sends a command, with its argument if it has one.

        :param confirm: whether the operator is asked again
        """
        return _widget(
            "COMMAND",
            title="",
            buttonText=text,
            command=self._command(name),
            commandArgs=[],
            showDevice=False,
            showTangoDB=False,
            showCommand=False,
            requireConfirmation=confirm,
            displayOutput=True,
            placeholder="intype",
            **_TEXT,
            btnCss="",
            widgetCss="",
            alignButtonRight=False,
        )

    def command_of_file(self, name: str, text: str, upload: str) -> Widget:
        """Return a button that sends a command with the text of a file as its argument."""
        return _widget(
            "command_file",
            uploadBtnLabel=upload,
            buttonLabel=text,
            command=self._command(name),
            showDevice=False,
            showCommand=False,
            requireConfirmation=True,
            displayOutput=True,
            **_TEXT,
            uploadButtonCss="",
            sendButtonCss="",
            alignSendButtonRight=True,
        )

    def _attribute(self, name: str, text: str) -> dict[str, str]:
        return {"device": self._device, "attribute": name.lower(), "label": text}

    def _command(self, name: str) -> dict[str, str]:
        (in_type, in_doc), (out_type, out_doc), _ = self._model.cmd_list[name]
        return {
            "device": self._device,
            "command": name,
            "acceptedType": str(in_type),
            "intypedesc": in_doc if in_type != CmdArgType.DevVoid else "No input parameter (DevVoid)",
            "outtypedesc": out_doc,
            "outtype": str(out_type),
            "tag": "0",
        }


class Column:
    """Widgets below each other.

    :param x: where it begins
    :param y: where the first one begins
    :param width: of all of them
    """

    def __init__(self, x: int, y: int, width: int) -> None:
        self._x, self.y, self._width = x, y, width
        self._placed: list[Widget] = []

    def __iter__(self) -> Iterator[Widget]:
        return iter(self._placed)

    def add(self, widget: Widget, height: int, *, part: tuple[int, int] = (0, 1)) -> None:
        """Put a widget below the others.

        :param height: its height
        :param part: its part of the width, and the number of parts; the last one ends the line
        """
        number, parts = part
        width = (self._width - parts + 1) // parts
        place = {"x": self._x + number * (width + 1), "y": self.y, "canvas": "0"}
        self._placed.append({**place, "width": width, "height": height, **widget})
        if number == parts - 1:
            self.y += height


def dashboard(name: str, widgets: Iterable[Widget], variables: list[dict[str, str]]) -> dict[str, Any]:
    """Return a dashboard as Taranta imports it.

    :param name: its name
    :param widgets: its widgets, with their places
    :param variables: variables for devices that the operator chooses
    """
    return {
        "id": "",
        "name": name,
        "version": "2.10.3",
        "user": "",
        "insertTime": "2026-01-01T00:00:00.000Z",
        "updateTime": "2026-01-01T00:00:00.000Z",
        "group": None,
        "groupWriteAccess": False,
        "lastUpdatedBy": None,
        "widget": [
            {"id": str(number + 1), **widget, "order": number, "valid": 1}
            for number, widget in enumerate(widgets)
        ],
        "variables": variables,
        "environment": ["*/*"],
    }


def _widget(kind: str, **inputs: Any) -> Widget:
    return {"type": kind, "inputs": inputs}
