"""What Kubernetes asks a device server: ``python -m oet_devices.probe alive|ready INSTANCE --port PORT``.

Both questions go straight to the server: a Tango database that is away is no reason to end scripts.
"""

import sys
from collections.abc import Iterator

import click
import tango

from .server import SERVER

_TIMEOUT = 3000
"""Milliseconds that the server may take to answer."""

_NOT_READY = frozenset({tango.DevState.FAULT, tango.DevState.INIT})


def is_alive(host: str, port: int, instance: str) -> None:
    """See that the server takes requests.

    :param host: where it listens
    :param port: port of its -ORBendPoint
    :param instance: its instance name
    :raises tango.DevFailed: if it does not answer
    """
    _proxy(host, port, f"dserver/{SERVER}/{instance}").ping()


def not_ready(host: str, port: int, instance: str) -> Iterator[str]:
    """Yield a line for each controller that cannot work. One that is switched off is not among them.

    :param host: where the server listens
    :param port: port of its -ORBendPoint
    :param instance: its instance name
    :raises tango.DevFailed: if it does not answer
    """
    admin = _proxy(host, port, f"dserver/{SERVER}/{instance}")
    for entry in admin.command_inout("QueryDevice"):
        device = _proxy(host, port, entry.partition("::")[2])
        if device.State() in _NOT_READY:
            yield f"{device.dev_name()}: {device.Status()}"


def _proxy(host: str, port: int, device: str) -> tango.DeviceProxy:
    proxy = tango.DeviceProxy(f"tango://{host}:{port}/{device}#dbase=no")
    proxy.set_timeout_millis(_TIMEOUT)
    return proxy


@click.command()
@click.argument("question", type=click.Choice(["alive", "ready"]))
@click.argument("instance")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the server listens.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Port of its -ORBendPoint.")
def main(question: str, instance: str, host: str, port: int) -> None:
    """Ask whether the device server INSTANCE is alive, or whether all its controllers can work."""
    try:
        if question == "alive":
            is_alive(host, port, instance)
            reasons = []
        else:
            reasons = list(not_ready(host, port, instance))
    except tango.DevFailed as error:
        reasons = [f"{SERVER}/{instance} does not answer: {error.args[0].desc.strip()}"]
    for reason in reasons:
        click.echo(reason, err=True)
    sys.exit(1 if reasons else 0)


if __name__ == "__main__":
    main()
