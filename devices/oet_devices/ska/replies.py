"""Immediate answers of long-running commands."""

from .command_handle import CommandHandle
from .enums import ResultCode
from .texts import tango_text

Reply = tuple[list[int], list[str]]
"""A DevVarLongStringArray: one number, and one text."""


def accepted(handle: CommandHandle, code: ResultCode = ResultCode.QUEUED) -> Reply:
    """Return the answer to an accepted command.

    :param handle: the command
    :param code: QUEUED or STARTED
    :returns: the code and the command's ID
    """
    return [int(code)], [handle.id]


def refused(reason: str) -> Reply:
    """Return the answer to a rejected command.

    :param reason: a sentence that says why, and what to do
    :returns: REJECTED and the reason
    """
    return [int(ResultCode.REJECTED)], [tango_text(reason)]
