"""Secrets that a site names by `SecretVariables`: kept from the scripts of all controllers of a server."""

import logging
from collections.abc import Collection
from typing import Any

import tango

LOGGER = logging.getLogger(__name__)

_CLASS = "OETController"
_PROPERTY = "SecretVariables"


def secret_variables(device: Any) -> Collection[str]:
    """Return the `SecretVariables` of all controllers of a server, together.

    They have one environment: a variable that one of them withholds from its scripts is withheld from all.
    All are read before the first controller starts processes for scripts, which inherit the environment.

    :param device: one of the controllers
    """
    own = list(device.SecretVariables)
    # Without a database Tango has None here, or one that nothing can be read from.
    if (database := tango.Util.instance().get_database()) is None:
        return own
    try:
        names = _controllers(database, tango.Util.instance().get_ds_name())
        return {*own, *(variable for name in names for variable in _variables(database, name))}
    except tango.DevFailed as error:
        LOGGER.warning("%s of other controllers cannot be read: %s", _PROPERTY, error.args[0].desc)
        return own


def _controllers(database: tango.Database, server: str) -> list[str]:
    """Return the names of the controllers that are registered for a server."""
    listed = list(database.get_device_class_list(server))
    return [name for name, kind in zip(listed[::2], listed[1::2], strict=True) if kind == _CLASS]


def _variables(database: tango.Database, device: str) -> list[str]:
    return [str(value).strip() for value in database.get_device_property(device, _PROPERTY)[_PROPERTY]]
