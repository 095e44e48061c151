"""The SKA base-device interface as data, and the same read off a live device."""

import json
from pathlib import Path
from typing import Any

import pytest
import tango

_FILE = Path(__file__).parents[1] / "integration" / "oet_devices" / "ska" / "ska_base_interface.json"

INTERFACE: dict[str, Any] = json.loads(_FILE.read_text())
"""The tables of the interface: enumerations, properties, attributes, commands, allowed states."""


def can_be_subscribed(proxy: tango.DeviceProxy, attribute: str, kind: tango.EventType) -> bool:
    """Return whether an attribute has events, without any polling.

    :param proxy: the device
    :param attribute: name of the attribute
    :param kind: change or archive events
    """
    if proxy.is_attribute_polled(attribute):
        return False
    try:
        subscription = proxy.subscribe_event(attribute, kind, lambda _event: None)
    except tango.DevFailed:
        return False
    proxy.unsubscribe_event(subscription)
    return True


def attribute_row(proxy: tango.DeviceProxy, name: str) -> dict[str, Any]:
    """Return what a live attribute is, in the form of the table of attributes.

    :param proxy: the device
    :param name: name of the attribute
    :raises tango.DevFailed: if there is none
    """
    config = proxy.get_attribute_config_ex(name)[0]
    row = {
        "name": config.name,
        "type": str(tango.CmdArgType.values[config.data_type]),
        "format": str(config.data_format),
        "max_dim_x": config.max_dim_x,
        "writable": str(config.writable),
        "change_event": can_be_subscribed(proxy, name, tango.EventType.CHANGE_EVENT),
        "archive_event": can_be_subscribed(proxy, name, tango.EventType.ARCHIVE_EVENT),
        "memorized": config.memorized == tango.AttrMemorizedType.MEMORIZED_WRITE_INIT,
    }
    return {**row, "enum_labels": list(config.enum_labels)} if config.enum_labels else row


def command_row(proxy: tango.DeviceProxy, name: str) -> dict[str, Any]:
    """Return what a live command is, in the form of the table of commands.

    :param proxy: the device
    :param name: name of the command
    :raises tango.DevFailed: if there is none
    """
    info = proxy.get_command_config(name)
    return {"name": info.cmd_name, "in": str(info.in_type), "out": str(info.out_type)}


def plain(value: Any) -> Any:
    """Return the value of an event in the form of the tables."""
    if isinstance(value, tango.DevState):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def require_not_allowed(device: tango.DeviceProxy, command: str) -> None:
    """Require that a device refuses a command of its base class, as Tango does, and says what to do.

    :param device: the device, in a state in which the command is not allowed
    :param command: name of the command
    :raises AssertionError: if the device takes it, or refuses it otherwise
    """
    state = device.State()
    with pytest.raises(tango.DevFailed) as raised:
        device.command_inout(command)
    error = raised.value.args[0]
    sentence, _, advice = error.desc.partition(". ")
    assert error.reason == "API_CommandNotAllowed"
    assert sentence == f"Command {command} not allowed when the device is in {state} state"
    assert advice.endswith(".")
