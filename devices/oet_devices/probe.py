"""What Kubernetes asks a device server: ``python -m oet_devices.probe alive|ready INSTANCE``."""

import sys
from collections.abc import Iterator

import click
import tango

from .server import SERVER

_TIMEOUT = 3000
"""Milliseconds that the server may take to answer."""

_NOT_READY = frozenset({tango.DevState.FAULT, tango.DevState.INIT})


def why_not_alive(instance: str) -> Iterator[str]:
    """Yield a line if the server does not take requests, as far as can be found out.

    Where there is no Tango database nobody can be asked; that is no reason to end a server and its scripts.

    :param instance: its instance name
    """
    try:
        tango.Database()
    except tango.DevFailed:
        return
    try:
        _admin(instance).ping()
    except tango.DevFailed as error:
        yield f"{SERVER}/{instance} does not answer: {_describe(error)}"


def why_not_ready(instance: str) -> Iterator[str]:
    """Yield a line for whatever cannot work. A controller that is switched off is not among that.

    :param instance: instance name of the server
    """
    try:
        for entry in _admin(instance).command_inout("QueryDevice"):
            device = tango.DeviceProxy(entry.partition("::")[2])
            device.set_timeout_millis(_TIMEOUT)
            if device.State() in _NOT_READY:
                yield f"{device.dev_name()}: {device.Status()}"
    except tango.DevFailed as error:
        yield f"{SERVER}/{instance} does not answer: {_describe(error)}"


def _admin(instance: str) -> tango.DeviceProxy:
    proxy = tango.DeviceProxy(f"dserver/{SERVER}/{instance}")
    proxy.set_timeout_millis(_TIMEOUT)
    return proxy


def _describe(error: tango.DevFailed) -> str:
    return " ".join(str(error.args[0].desc).split())


@click.command()
@click.argument("question", type=click.Choice(["alive", "ready"]))
@click.argument("instance")
def main(question: str, instance: str) -> None:
    """Ask whether the device server INSTANCE is alive, or whether all its controllers can work."""
    reasons = list(why_not_alive(instance) if question == "alive" else why_not_ready(instance))
    for reason in reasons:
        click.echo(reason, err=True)
    sys.exit(1 if reasons else 0)


if __name__ == "__main__":
    main()
