"""Kubernetes probes of a device server: ``python -m oet_devices.tools.probe alive|ready INSTANCE``."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

import click
import tango

from ..server import SERVER

_TIMEOUT = 3000
"""Milliseconds that the server may take to answer."""

_DATABASE_TIMEOUT = 3.0
"""Seconds that the Tango database may take. Tango itself waits three times as long for a silent one."""

_NOT_READY = frozenset({tango.DevState.FAULT, tango.DevState.INIT})


def why_not_alive(instance: str) -> Iterator[str]:
    """Yield a line if the server does not take requests, as far as can be found out.

    Without a Tango database, the server cannot be asked; that must not end a server and its scripts.

    :param instance: its instance name
    """
    if not _database_answers():
        return
    try:
        _admin(instance).ping()
    except tango.DevFailed as error:
        yield f"{SERVER}/{instance} does not answer: {_describe(error)}"


def why_not_ready(instance: str) -> Iterator[str]:
    """Yield a line for each controller that cannot work. One that is switched off does not count.

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


def _database_answers() -> bool:
    answered = threading.Event()

    def connect() -> None:
        with contextlib.suppress(tango.DevFailed):
            tango.Database()
            answered.set()

    asking = threading.Thread(target=connect, daemon=True)
    asking.start()
    asking.join(_DATABASE_TIMEOUT)
    return answered.is_set()


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
    # A thread may still wait for the database, in Tango's library: an orderly end would wait for that.
    sys.stderr.flush()
    os._exit(1 if reasons else 0)


if __name__ == "__main__":
    main()
