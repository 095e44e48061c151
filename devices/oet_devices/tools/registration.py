"""Registers devices in a Tango database, from the files in ``tango_db``.

On the command line: ``python -m oet_devices.tools.registration oet-mid``, or the path of a file.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NoReturn

import click
import jsonschema
import tango
from dsconfig import formatting
from dsconfig.json2tango import apply_config, prepare_config

_MEMORISED = "__value"
"""Name of a memorised value among the properties of an attribute."""


class RegistrationError(ValueError):
    """A registration cannot be used. The message says why, in one line."""


def registration_file(name: str) -> Path:
    """Return the path of a registration that ships.

    :param name: its name, e.g. ``oet-mid``
    """
    return _shipped() / f"{name}.json"


def register(
    database: tango.Database, config: Path, properties: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Register the devices of a file; existing entries of the database are not changed.

    This includes memorised values: a controller that was taken out of use stays out of use.

    :param database: the Tango database
    :param config: a file in the format of dsconfig
    :param properties: device properties to set in addition, of all devices
    :returns: names of the devices
    :raises RegistrationError: if the file is not of that format
    :raises OSError: if it cannot be read
    :raises tango.DevFailed: if the database cannot be used
    """
    wanted = _read(config)
    devices = dict(_devices(wanted))
    for device, definition in devices.items():
        definition.setdefault("properties", {}).update(
            {name: list(value) for name, value in (properties or {}).items()}
        )
        _keep_memorised_values(database, device, definition.get("attribute_properties", {}))
    calls = apply_config(wanted, database, update=True)[2]
    for method, args, kwargs in calls:
        getattr(database, method)(*args, **kwargs)
    return list(devices)


def _read(config: Path) -> dict[str, Any]:
    try:
        content = json.loads(config.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RegistrationError(f"it is not JSON: {error}") from error
    try:
        wanted: dict[str, Any] = prepare_config(content)
        # dsconfig's own check reports the reason in ten lines, and ends the process.
        jsonschema.validate(wanted, json.loads(Path(formatting.SCHEMA_FILENAME).read_text()))
    except jsonschema.ValidationError as error:
        where = "/".join(str(part) for part in error.absolute_path)
        raise RegistrationError(f"it is not in the format of dsconfig: {where}: {error.message}") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise RegistrationError(f"it is not in the format of dsconfig: {error}") from error
    if not wanted:
        raise RegistrationError("it has neither servers nor classes nor devices")
    return wanted


def _devices(config: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for instances in config.get("servers", {}).values():
        for classes in instances.values():
            for members in classes.values():
                yield from members.items()


def _keep_memorised_values(
    database: tango.Database, device: str, attributes: dict[str, dict[str, Any]]
) -> None:
    for name in [name for name, values in attributes.items() if _MEMORISED in values]:
        if _MEMORISED in database.get_device_attribute_property(device, name)[name]:
            del attributes[name][_MEMORISED]
        if not attributes[name]:
            del attributes[name]


def _shipped() -> Path:
    installed = Path(str(resources.files("oet_devices"))) / "tango_db"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "tango_db"


def _file(name: str) -> Path:
    """Return the file that the command line names.

    :raises RegistrationError: if there is none
    """
    known = {path.stem: path for path in sorted(_shipped().glob("*.json"))}
    path = known.get(name, Path(name))
    if not path.is_file():
        raise RegistrationError(
            f"there is no such file, and no registration of that name ships: known are {', '.join(known)}"
        )
    return path


@click.command()
@click.argument("name")
def main(name: str) -> None:
    """Register the devices of NAME, a registration that ships or a file, in the database at TANGO_HOST."""
    try:
        config = _file(name)
        devices = register(tango.Database(), config)
    except tango.DevFailed as error:
        _fail(f"the Tango database cannot be used: {'; '.join(part.desc.strip() for part in error.args)}")
    except (RegistrationError, OSError) as error:
        _fail(f"{name} cannot be registered: {error}")
    click.echo(f"Registered {', '.join(devices) or 'what ' + name + ' says of classes'}.")


def _fail(reason: str) -> NoReturn:
    click.echo(f"oet_devices.tools.registration: {' '.join(reason.split())}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
