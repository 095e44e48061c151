"""Other controllers that are registered for the same subarray."""

import logging
from typing import Any

import tango

LOGGER = logging.getLogger(__name__)


def describe_rivals(device: Any, subarray: int | None) -> str | None:
    """Return a sentence that names the controllers of this Tango database that have the same SubarrayId.

    :param device: a controller
    :param subarray: its subarray, None if it is for any
    :returns: None if there are none, or it cannot be known
    """
    # Without a database Tango has None here, or one that nothing can be read from.
    if subarray is None or (database := tango.Util.instance().get_database()) is None:
        return None
    try:
        rivals = _registered_for(database, subarray) - {device.get_name().lower()}
    except tango.DevFailed as error:
        LOGGER.warning("Cannot look for other controllers of subarray %d: %s", subarray, error.args[0].desc)
        return None
    if not rivals:
        return None
    return (
        f"{' and '.join(sorted(rivals))} {'has' if len(rivals) == 1 else 'have'} SubarrayId {subarray}, too: "
        "give each controller a subarray of its own, then send Reset."
    )


def _registered_for(database: tango.Database, subarray: int) -> set[str]:
    names = [str(name).lower() for name in database.get_device_name("*", "OETController")]
    return {name for name in names if _subarray_of(database, name) == str(subarray)}


def _subarray_of(database: tango.Database, name: str) -> str | None:
    given = list(database.get_device_property(name, "SubarrayId")["SubarrayId"])
    return str(given[0]).strip() if given else None
