"""The interface through which the status and the end of a long-running command are reported."""

from typing import Any, Protocol

from .command_record import CommandRecord, Result
from .enums import ResultCode, TaskStatus

ABORTED_MESSAGE = "Command has been aborted"


class _Tracker(Protocol):
    """The part of a `CommandTracker` that a handle needs. Each function returns whether it had an effect."""

    def advance(self, record: CommandRecord, status: TaskStatus) -> bool: ...

    def progress(self, record: CommandRecord, percent: int) -> bool: ...

    def finish(self, record: CommandRecord, status: TaskStatus, result: Result) -> bool: ...


class CommandHandle:
    """One long-running command, as seen by the code that carries it out. Any thread may use it.

    Every method returns whether it had an effect. It has none on a command that has ended: the first end
    counts, also if an abort and the command itself end it at the same time.
    """

    def __init__(self, tracker: _Tracker, record: CommandRecord) -> None:
        self._tracker = tracker
        self._record = record

    @property
    def id(self) -> str:
        """The command's unique ID."""
        return self._record.id

    @property
    def name(self) -> str:
        """Name of the Tango command."""
        return self._record.name

    @property
    def status(self) -> TaskStatus:
        """Status of the command."""
        return self._record.status

    @property
    def abort_requested(self) -> bool:
        """Whether the command was asked to end early."""
        return self._record.abort_requested

    def queued(self) -> bool:
        """Announce that the command waits for its turn."""
        return self._tracker.advance(self._record, TaskStatus.QUEUED)

    def started(self) -> bool:
        """Announce that the command executes. If this returns False, do not carry it out."""
        return self._tracker.advance(self._record, TaskStatus.IN_PROGRESS)

    def progress(self, percent: int) -> bool:
        """Announce the progress of the command.

        :param percent: 0 to 100, taken as the nearest of these if it is outside
        """
        return self._tracker.progress(self._record, min(max(percent, 0), 100))

    def completed(self, message: Any = None) -> bool:
        """Announce that the command has succeeded.

        :param message: a sentence, any other JSON value, or a `JsonText`
        """
        message = f"{self.name} completed OK" if message is None else message
        return self._end(TaskStatus.COMPLETED, ResultCode.OK, message)

    def failed(self, reason: object) -> bool:
        """Announce that the command has failed.

        :param reason: an exception, or a text or other JSON value
        """
        message = (str(reason) or type(reason).__name__) if isinstance(reason, Exception) else reason
        return self._end(TaskStatus.FAILED, ResultCode.FAILED, message)

    def aborted(self, message: Any = ABORTED_MESSAGE) -> bool:
        """Announce that the command ended early.

        :param message: a sentence, or any other JSON value; of a command that Abort has ended, the protocol
            lays down the message
        """
        if self.abort_requested:
            message = ABORTED_MESSAGE
        return self._end(TaskStatus.ABORTED, ResultCode.ABORTED, message)

    def rejected(
        self, reason: str = "Command is not allowed", code: ResultCode = ResultCode.NOT_ALLOWED
    ) -> bool:
        """Announce that the command was not allowed when its turn came.

        :param reason: a sentence that says why, and what to do
        :param code: NOT_ALLOWED, or REJECTED
        """
        return self._end(TaskStatus.REJECTED, code, reason)

    def _end(self, status: TaskStatus, code: ResultCode, message: Any) -> bool:
        return self._tracker.finish(self._record, status, Result(code, message, self._record.pointer))
