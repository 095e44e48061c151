"""Registers devices in a Tango database, from the files in ``tango_db``."""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import tango
from dsconfig.json2tango import apply_config, prepare_config


def registration_file(name: str) -> Path:
    """Return the path of a registration that ships.

    :param name: its name, e.g. ``oet-mid``
    """
    installed = Path(str(resources.files("oet_devices"))) / "tango_db"
    folder = installed if installed.is_dir() else Path(__file__).parents[2] / "tango_db"
    return folder / f"{name}.json"


def register(
    database: tango.Database, config: Path, properties: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Register the devices of a file; what is in the database already stays as it is.

    :param database: the Tango database
    :param config: a file in the format of dsconfig
    :param properties: device properties to set in addition, of all devices
    :returns: name of the first device
    """
    wanted = prepare_config(json.loads(config.read_text()), validate=True)
    devices = list(_devices(wanted))
    for _, definition in devices:
        definition.setdefault("properties", {}).update(
            {name: list(value) for name, value in (properties or {}).items()}
        )
    calls = apply_config(wanted, database, update=True)[2]
    for method, args, kwargs in calls:
        getattr(database, method)(*args, **kwargs)
    return str(devices[0][0])


def _devices(config: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (device, definition)
        for instances in config["servers"].values()
        for classes in instances.values()
        for members in classes.values()
        for device, definition in members.items()
    ]
