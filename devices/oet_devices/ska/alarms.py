"""Attributes in alarm: their value is beyond the alarm or warning levels that a site has set."""

from collections.abc import Callable, Iterator

import tango
from tango.server import Device

_LEVELS: tuple[tuple[Callable[[tango.Attribute], bool], str], ...] = (
    (tango.Attribute.is_min_alarm, "below its alarm level min_alarm"),
    (tango.Attribute.is_max_alarm, "above its alarm level max_alarm"),
    (tango.Attribute.is_min_warning, "below its warning level min_warning"),
    (tango.Attribute.is_max_warning, "above its warning level max_warning"),
)


def has_alarm_levels(device: Device) -> bool:
    """Return whether any attribute of a device has alarm or warning levels. Takes about a microsecond.

    :param device: the device
    """
    return bool(device.get_device_attr().get_alarm_list())


def alarm_sentences(device: Device) -> list[str]:
    """Return a sentence for each attribute that was in alarm when the device's state was computed last.

    :param device: the device
    """
    return list(_sentences(device.get_device_attr()))


def _sentences(attributes: tango.MultiAttribute) -> Iterator[str]:
    for index in attributes.get_alarm_list():
        attribute = attributes.get_attr_by_ind(index)
        for is_beyond, where in _LEVELS:
            if is_beyond(attribute):
                yield f"Attribute {attribute.get_name()} is {where}."
