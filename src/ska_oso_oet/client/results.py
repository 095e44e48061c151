"""Answers and results of the long-running commands of a controller."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class ResultCode(IntEnum):
    """Result codes of commands. Source: ska-control-model."""

    OK = 0
    STARTED = 1
    QUEUED = 2
    FAILED = 3
    UNKNOWN = 4
    REJECTED = 5
    NOT_ALLOWED = 6
    ABORTED = 7


@dataclass(frozen=True)
class CommandResult:
    """Result of a long-running command.

    :param command_id: its ID
    :param code: OK, FAILED, ABORTED or NOT_ALLOWED
    :param message: a sentence, or the JSON summary of the procedure that the command was about
    """

    command_id: str
    code: ResultCode
    message: Any

    @property
    def ok(self) -> bool:
        """Whether the command has succeeded."""
        return self.code is ResultCode.OK


@dataclass(frozen=True)
class AcceptedCommand:
    """A long-running command that the controller has taken.

    :param id: its ID, ``<unix time>_<n>_<CommandName>``
    :param code: STARTED or QUEUED
    """

    id: str
    code: ResultCode

    @property
    def name(self) -> str:
        """Name of the Tango command."""
        return self.id.rpartition("_")[2]

    @property
    def subject(self) -> int:
        """ID of the procedure (of RunActivity: of the activity) that the command is about."""
        return int(self.id.split("_")[1])
