"""Registers devices in a Tango database, from the files in ``tango_db``.

On the command line: ``python -m oet_devices.registration oet-mid``, or the path of a file.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import click
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


def _file(name: str) -> Path:
    """Return the file that the command line names.

    :raises ValueError: if there is none
    """
    given, shipped = Path(name), registration_file(name)
    for path in (given, shipped):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in shipped.parent.glob("*.json")))
    raise ValueError(f"there is no file {name}, and no registration of that name ships: known are {known}")


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Register the devices of NAME, a registration that ships or a file, in the database at TANGO_HOST."""
    try:
        config = _file(name)
        first = register(tango.Database(), config)
    except tango.DevFailed as error:
        _fail(f"the Tango database cannot be used: {'; '.join(part.desc.strip() for part in error.args)}")
    except (ValueError, KeyError, OSError, RuntimeError) as error:
        _fail(f"{name} cannot be registered: {error}")
    click.echo(f"Registered the devices of {name}; the first is {first}.")


def _fail(reason: str) -> NoReturn:
    click.echo(f"oet_devices.registration: {reason}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
