"""Commands, attributes and properties of OETController, and the reasons of its errors, as Markdown."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tango import AttrDataFormat, AttrWriteType, CmdArgType

from ska_oso_oet.model import DETAILS_REASON

from ...controller import OETController
from ...declared_properties import QUERY_COMMANDS
from ...reasons import NOT_ALLOWED, NOT_AVAILABLE, OTHER_REASONS, RAISED_BY, REASONS
from ...ska.device import SkaBaseDevice
from ..pogo import STATES
from .markdown import code, definitions, docstring, first_sentence, prose, table

_OET = OETController.TangoClassClass
_BASE = SkaBaseDevice.TangoClassClass

_LONG_RUNNING = "Long-running commands"
_SKA = "SKA base device"
_GROUPS = {
    "oet_devices.controller": "Procedures, activities, events",
    "oet_devices.declared_records": "Records",
    "oet_devices.declared_queries": "Queries that take long",
    "oet_devices.declared_operator": "Operator and script",
    "oet_devices.declared_queue": "Queue",
}
"""Titles by the module that declares a command or an attribute of the controller."""
_ORDER = (*_GROUPS.values(), _LONG_RUNNING, _SKA)

_ANYBODY = "each client; with Tango's access control, also a user with read access alone (`AllowedAccessCmd`)"
_WRITERS = (
    "each client; with Tango's access control, users with write access; while a client has locked the "
    "device, that client alone"
)

_DETAILED = {
    NOT_AVAILABLE: "A fault keeps the controller from executing scripts: see `Status`, fix what it names, "
    "and send `Reset`.",
    NOT_ALLOWED: "Tango's own reason: the state of the device forbids the command. "
    "The description says what to do first.",
    "SKA_NoDebugger": "debugpy is not installed in the Python environment of the device server.",
    "SKA_InvalidLoggingTarget": "A logging target has no known form, or cannot be opened.",
    DETAILS_REASON: "Not a reason by itself: the second error in the stack of a `DevFailed`. Its "
    "description is a JSON object with facts about the first, for programs.",
}
"""Meanings of the reasons without an exception."""


def commands() -> str:
    """Return all commands: arguments, answers, permissions, reasons of errors."""
    # Those that change something come first.
    ordered = sorted(_OET.cmd_list, key=lambda name: name in QUERY_COMMANDS)
    own = {name: getattr(OETController, name).__module__ for name in ordered}
    parts = []
    for title, names in _grouped(own, _BASE.cmd_list):
        parts += [f"## {title}", *(_command(name, *_OET.cmd_list[name]) for name in names)]
    return "\n\n".join([*parts, _tango_commands()])


def _grouped(own: Mapping[str, str], base: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Return names by their titles.

    :param own: names, and the modules that declare them
    :param base: names of the base device, that are the same in all SKA devices
    :raises KeyError: if no title is known for a module
    """
    groups: dict[str, list[str]] = {title: [] for title in _ORDER}
    of_all = set(base)
    for name, module in own.items():
        if name not in of_all:
            groups[_GROUPS[module]].append(name)
        elif "lrc" in name.lower() or "longrunning" in name.lower():
            groups[_LONG_RUNNING].append(name)
        else:
            groups[_SKA].append(name)
    return ((title, names) for title, names in groups.items() if names)


def _command(name: str, argin: list[Any], argout: list[Any], options: Mapping[str, Any]) -> str:
    facts = [
        ("Argument", _argument(*argin)),
        ("Answer", _argument(*argout)),
        ("Who may send it", _ANYBODY if name in QUERY_COMMANDS else _WRITERS),
        ("Display level", str(options.get("Display level", "OPERATOR"))),
        ("Where the state forbids it", _rejection(name, argout[0])),
        ("Raises `DevFailed` with the reason", ", ".join(_reasons_of(name))),
    ]
    return "\n\n".join([f"### {name}", prose(docstring(getattr(OETController, name))), definitions(facts)])


def _argument(data_type: CmdArgType, meaning: str) -> str:
    if data_type == CmdArgType.DevVoid:
        return "none"
    return f"{code(data_type)}. {prose(meaning)}"


def _rejection(name: str, answered: CmdArgType) -> str:
    if answered == CmdArgType.DevVarLongStringArray and name in RAISED_BY:
        return "it is answered with `[[5], [reason]]`: REJECTED, and what to do"
    return ""


def _reasons_of(name: str) -> list[str]:
    raised = [REASONS[kind] for kind in RAISED_BY.get(name, ())]
    if name in RAISED_BY:
        raised.append(NOT_AVAILABLE)
    return [f"[{reason}](commands.md#{reason.lower()})" for reason in (*raised, *OTHER_REASONS.get(name, ()))]


def _tango_commands() -> str:
    rows = [
        ("`State`", "Return the state: " + ", ".join(STATES)),
        ("`Status`", "Return the present activity of the device, then its faults, for people"),
        (
            "`Init`",
            "Read the properties again. Scripts and the queue continue; modes get their memorised values",
        ),
    ]
    head = "## Of each Tango device\n\nThey can be sent by every client, in every state."
    return f"{head}\n\n{table(('command', 'what it does'), rows)}"


def reasons() -> str:
    """Return the meanings of the reasons of errors."""
    known = {reason: docstring(kind) for kind, reason in REASONS.items() if kind is not ValueError}
    known["OET_InvalidArgument"] = (
        "The argument is not of the form that the command takes, or a value in it cannot be used."
    )
    known |= _DETAILED
    parts = [f"### {reason}\n\n{prose(_first_paragraph(text))}" for reason, text in sorted(known.items())]
    return "\n\n".join(parts)


def _first_paragraph(text: str) -> str:
    return text.split("\n\n")[0]


def attributes() -> str:
    """Return all attributes: types, units, access, values, events."""
    declared = {
        each.attr_name: each.fget.__module__
        for each in vars(OETController).values()
        if hasattr(each, "attr_name") and hasattr(each, "fget")
    }
    own = {name: declared.get(name, "") for name in _OET.attr_list}
    parts = []
    for title, names in _grouped(own, _BASE.attr_list):
        parts += [f"## {title}", *(_attribute(name, _OET.attr_list[name]) for name in names)]
    return "\n\n".join([*parts, _tango_attributes()])


def _attribute(name: str, definition: Any) -> str:
    shown = definition.att_prop
    writable = definition.attr_write != AttrWriteType.READ
    facts = [
        ("Type", _attribute_type(definition)),
        ("Label", shown.label),
        ("Unit", shown.unit),
        ("Values", _values(shown)),
        ("Access", _access(definition)),
        ("Who may write it", _WRITERS if writable else ""),
        ("Events", _events_of(name)),
        ("Display level", str(definition.display_level)),
        ("Raises `DevFailed` with the reason", ", ".join(_reasons_of(name))),
    ]
    return "\n\n".join([f"### {name}", prose(shown.description), definitions(facts)])


def _attribute_type(definition: Any) -> str:
    if definition.attr_format == AttrDataFormat.SCALAR:
        return code(definition.attr_type)
    return f"{code(definition.attr_type)}, a spectrum of at most {definition.dim_x}"


def _access(definition: Any) -> str:
    if definition.attr_write == AttrWriteType.READ:
        return "read"
    if definition.memorized:
        return "read and write; the Tango database remembers what was written last, and restores it at start"
    return "read and write"


def _values(shown: Any) -> str:
    if shown.enum_labels:
        return ", ".join(f"{number} {label}" for number, label in enumerate(shown.enum_labels.split(",")))
    limits = (("from", shown.min_value), ("to", shown.max_value))
    return " ".join(f"{word} {limit}" for word, limit in limits if limit not in ("", None))


def _events_of(name: str) -> str:
    if name in OETController.WITHOUT_EVENTS:
        return "none: it does not change"
    return "change" if name in OETController.CHANGE_EVENTS_ONLY else "change and archive"


def _tango_attributes() -> str:
    rows = [
        ("`State`", "`DevState`", "State of the device. Every change has its event, in order"),
        (
            "`Status`",
            "`DevString`",
            "Present activity of the device, then its faults, for people. Quick changes may share an event",
        ),
    ]
    return f"## Of each Tango device\n\n{table(('attribute', 'type', 'meaning'), rows)}"


def properties() -> str:
    """Return all properties: types, defaults, meanings."""
    parts = []
    for title, own, base in (
        ("Device properties", _OET.device_property_list, _BASE.device_property_list),
        ("Class properties", _OET.class_property_list, _BASE.class_property_list),
    ):
        names = sorted(own, key=lambda name: (name in base, name))
        rows = [_property(name, own[name]) for name in names]
        parts += [f"## {title}", table(("property", "type", "default", "meaning"), rows)]
    return "\n\n".join(parts)


def _property(name: str, definition: list[Any]) -> tuple[str, str, str, str]:
    data_type, doc, default = definition[:3]
    lines = default if isinstance(default, list) else [default]
    values = ", ".join(code(line) for line in lines if line != "")
    return code(name), code(data_type), values or "none", prose(doc)


def command_overview() -> str:
    """Return a table of the commands of the controller, without those of the base device."""
    base = set(_BASE.cmd_list)
    ordered = sorted(
        set(_OET.cmd_list) - base, key=lambda name: (name in QUERY_COMMANDS, list(_OET.cmd_list).index(name))
    )
    own = {name: getattr(OETController, name).__module__ for name in ordered}
    rows = [
        (
            f"[{code(name)}](commands.md#{name.lower()})",
            prose(first_sentence(docstring(getattr(OETController, name)))),
        )
        for _, names in _grouped(own, ())
        for name in names
    ]
    return table(("command", "what it does"), rows) + "\n"


def attribute_overview() -> str:
    """Return a table of the attributes of the controller, without those of the base device."""
    base = set(_BASE.attr_list)
    rows = [
        (
            f"[{code(name)}](attributes.md#{name.lower()})",
            code(definition.attr_type),
            prose(first_sentence(definition.att_prop.description)),
        )
        for name, definition in _OET.attr_list.items()
        if name not in base
    ]
    return table(("attribute", "type", "meaning"), rows) + "\n"
