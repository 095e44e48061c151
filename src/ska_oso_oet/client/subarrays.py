"""Numbers of the subarrays that controllers are registered for."""

import re
import threading
from collections.abc import Sequence

import tango

from .errors import ControllerError, DeviceTimeoutError, controller_error

PROPERTY = "SubarrayId"
"""Device property that names the subarray of a controller; 0 stands for any."""

_FULL_NAME = re.compile(r"tango://(?P<host>[^/]+):(?P<port>\d+)/(?P<device>[^#]+)")


def registered_subarrays(devices: Sequence[str], timeout: float) -> list[int | ControllerError]:
    """Ask the Tango database for the subarrays of some controllers, which need not run.

    :param devices: names of the devices
    :param timeout: seconds that the database may take to answer; all are asked for at once
    :returns: for each device its number, 0 if it has none, or why that is not known
    """
    late = f"The Tango database did not answer within {timeout:g} s."
    answers: list[int | ControllerError] = [DeviceTimeoutError(late) for _ in devices]

    def ask(place: int, device: str) -> None:
        try:
            answers[place] = _read(device)
        except ControllerError as error:
            answers[place] = error

    # A call of Tango may hang for long: these threads do not delay the end of the process.
    threads = [
        threading.Thread(target=ask, args=each, daemon=True, name="oet-registration")
        for each in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    return list(answers)


def _read(device: str) -> int:
    """Return the number of a controller's subarray.

    :raises ControllerError: if the database is unavailable, or the property is not a number
    """
    if "#dbase=no" in device:
        return 0
    # The database alone is asked: a proxy of the device would wait for a server that hangs.
    with tango.EnsureOmniThread():
        try:
            named = _FULL_NAME.match(device)
            database = tango.Database(named["host"], int(named["port"])) if named else tango.Database()
            value = database.get_device_property(named["device"] if named else device, PROPERTY)[PROPERTY]
        except tango.DevFailed as failure:
            raise controller_error(device, failure) from failure
    text = value[0].strip() if value else "0"
    if not (text.isascii() and text.isdigit()):
        raise ControllerError(f"The property {PROPERTY} of {device} is {text!r}, which is not a number.")
    return int(text)
