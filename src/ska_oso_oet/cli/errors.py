"""Exceptions that end a command, each with a message of one line."""

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
    """Ctrl-C ended the listening; the script continues."""


class CommandError(click.ClickException):
    """A command has failed. Its message becomes one line on stderr.

    :param message: what happened and what to do
    """

    exit_code = ExitStatus.REFUSED

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))
        self.advice: str | None = None
        """Which command helps, if that is known."""

    def format_message(self) -> str:
        """Return the line for people."""
        return self.message if self.advice is None else f"{self.message}. {self.advice}"


class MisuseError(CommandError):
    """The command line or the environment is wrong; nothing was sent."""

    exit_code = ExitStatus.MISUSE


class StoppedError(CommandError):
    """The script that was listened to was stopped."""

    exit_code = ExitStatus.STOPPED


class RefusedError(CommandError):
    """The server refused a request.

    :param message: what happened and what to do
    :param status: HTTP status of the answer
    :param kind: kind of the refusal, empty if the server did not say
    """

    def __init__(self, message: str, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class DetachedError(CommandError):
    """The user ended the listening, not the script."""

    exit_code = ExitStatus.DETACHED


class ServerUnavailableError(CommandError):
    """The server is unavailable: the same request may succeed later.

    :param message: what happened and what to do
    :param status: HTTP status of the answer; None if there was none
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
