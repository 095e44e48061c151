"""What ends a command early, said in one line."""

from enum import IntEnum

import click

from .text import one_line


class ExitStatus(IntEnum):
    """Exit statuses of ``oet``."""

    OK = 0
    """Done; a script that was listened to is COMPLETE."""
    REFUSED = 1
    """The server refused or could not be reached, or the script FAILED."""
    MISUSE = 2
    """The command line is wrong; nothing was sent."""
    STOPPED = 3
    """The script that was listened to was stopped."""
    DETACHED = 130
    """Ctrl-C ended the listening; the script goes on."""


class OetError(click.ClickException):
    """A command could not do what was asked. Its message becomes one line on stderr.

    :param message: what happened and what to do
    """

    exit_code = ExitStatus.REFUSED

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class MisuseError(OetError):
    """The command line or the environment is wrong; nothing was sent."""

    exit_code = ExitStatus.MISUSE


class StoppedError(OetError):
    """The script that was listened to was stopped."""

    exit_code = ExitStatus.STOPPED


class DetachedError(OetError):
    """The user ended the listening, and not the script."""

    exit_code = ExitStatus.DETACHED


class ServerUnavailableError(OetError):
    """The server is away, for now: the same request may succeed later."""
