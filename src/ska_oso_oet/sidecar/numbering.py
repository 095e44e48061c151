"""Controllers that a sidecar serves, and the number of the subarray of each."""

import argparse
import logging
import re
from collections.abc import Sequence
from typing import NamedTuple, Self

from ska_oso_oet.client import DEFAULT_DEVICE, ControllerError, registered_subarrays
from ska_oso_oet.model import OetError

LOGGER = logging.getLogger(__name__)

_OPTION = re.compile(r"(?:(?P<number>[^=/]*)=)?(?P<device>[^\s=]+)\Z")
_NUMBER = re.compile(r"[1-9]\d{0,8}\Z", re.ASCII)
_DATABASE_TIMEOUT = 3.0
"""Seconds that the Tango database may take to return the subarrays of the controllers."""


class NumberingError(OetError):
    """The controllers do not have distinct numbers. The message says why, in one line."""


class NamedDevice(NamedTuple):
    """A controller as the command line names it."""

    device: str
    number: int | None = None
    """Number of its subarray, if that was given."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read ``device`` or ``number=device``.

        :raises argparse.ArgumentTypeError: if it is neither
        """
        match = _OPTION.match(text)
        if match is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not the name of a device, or N=DEVICE")
        number = match["number"]
        if number is None:
            return cls(match["device"])
        if not _NUMBER.match(number):
            raise argparse.ArgumentTypeError(
                f"{text!r}: {number!r} is not the number of a subarray (1 or more)"
            )
        return cls(match["device"], int(number))


def named_devices(text: str) -> list[NamedDevice]:
    """Read the names of controllers, separated by spaces; the usual one if there is none.

    :raises NumberingError: if one cannot be read
    """
    try:
        return [NamedDevice.read(part) for part in text.split() or [DEFAULT_DEVICE]]
    except argparse.ArgumentTypeError as error:
        raise NumberingError(f"OET_DEVICE: {error}") from None


def number_devices(named: Sequence[NamedDevice]) -> dict[int, str]:
    """Return the devices by the numbers of their subarrays, in the order in which they were named.

    The number is the given one, else the property ``SubarrayId`` of the device, else its place.

    :param named: the devices
    :raises NumberingError: if two have the same number or are the same, if a number that was given is not
        that of the device, or if the Tango database is needed to number several controllers, and is
        unavailable
    """
    devices: dict[int, str] = {}
    registered = registered_subarrays([each.device for each in named], _DATABASE_TIMEOUT)
    for place, (each, known) in enumerate(zip(named, registered, strict=True), start=1):
        number = _number(each, known, place, len(named) == 1)
        if number in devices:
            raise NumberingError(
                f"{devices[number]} and {each.device} both have the number {number}: give each its own, "
                "by its property SubarrayId or as --device N=DEVICE"
            )
        if each.device.lower() in map(str.lower, devices.values()):
            raise NumberingError(f"{each.device} is named more than once: name each controller once")
        devices[number] = each.device
    return devices


def _number(named: NamedDevice, registered: int | ControllerError, place: int, alone: bool) -> int:
    if isinstance(registered, ControllerError):
        if named.number is None and not alone:
            raise NumberingError(
                f"it is not known which subarray {named.device} is for: {registered} "
                "Start the Tango database first, or give the numbers as --device N=DEVICE"
            )
        LOGGER.warning("It was not checked which subarray %s is for: %s", named.device, registered)
        registered = 0
    if named.number is None:
        return registered or place
    if registered not in (0, named.number):
        raise NumberingError(
            f"{named.device} was given the number {named.number}, and is for subarray {registered} "
            "by its property SubarrayId: give it that number, or leave the number out"
        )
    return named.number
