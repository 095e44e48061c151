"""Tracker of long-running commands: reports, in order, the changes of the attributes that show them.

It does not use Tango: the changes go to one function, which must only store them.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

from .command_handle import CommandHandle
from .command_record import CommandRecord, Result, json_object
from .enums import TaskStatus
from .expiry import Expiry
from .lrc_attributes import (
    MAX_ACTIVE,
    MAX_FINISHED,
    MAX_QUEUED,
    MAX_RECENT,
    Commands,
    LrcAttribute,
    LrcStep,
    Spectrum,
    attribute_value,
    attribute_values,
)

LOGGER = logging.getLogger(__name__)

RETENTION = 10.0
"""Seconds that an ended command stays in the attributes of protocol version 1."""

_EXPIRY_STEPS = 20
"""Ended commands are dropped together, at most this often per retention time."""

_RESERVED_FOR_ABORTS = 32

Sink = Callable[[str, Spectrum], None]
"""Takes the name and the new value of an attribute. It must not wait for anything or call back."""


class TooManyCommandsError(Exception):
    """A new command cannot be taken, because too many wait or execute. Its text is for the user."""


class _Abort:
    """An Abort command that waits until those that it is to abort have ended."""

    def __init__(self, handle: CommandHandle, targets: list[CommandRecord]) -> None:
        self.handle = handle
        self.targets = targets
        self.waiting_for = {record.id for record in targets}
        self.errors: list[str] = []

    def end(self) -> None:
        """End the Abort command."""
        if self.errors:
            self.handle.failed(" ".join(self.errors))
        else:
            self.handle.completed()


class CommandTracker:
    """The long-running commands of one device. Any thread may use it.

    :param sink: called with each new value of an attribute, in the order that the protocol lays down
    :param retention: seconds that an ended command stays in the attributes of protocol version 1
    """

    def __init__(self, sink: Sink, retention: float = RETENTION) -> None:
        self._sink = sink
        self._retention = retention
        # Reentrant: the end of a command may be the end of those that abort it.
        self._lock = threading.RLock()
        self._active: dict[str, CommandRecord] = {}
        self._recent: deque[CommandRecord] = deque()
        self._known: dict[str, CommandRecord] = {}
        self._finished: deque[CommandRecord] = deque(maxlen=MAX_FINISHED)
        self._last_result: CommandRecord | None = None
        self._aborts: list[_Abort] = []
        self._expiry = Expiry(self._expire, "lrc-expiry")
        self._closed = False
        self._values = attribute_values(self._commands())

    @property
    def closed(self) -> bool:
        """Whether it takes no more commands."""
        return self._closed

    def begin(
        self,
        name: str,
        command_id: str,
        on_abort: Callable[[], object] | None = None,
        *,
        pointer: str = "",
    ) -> CommandHandle:
        """Announce a new command, as STAGING.

        :param name: name of the Tango command
        :param command_id: its ID, see `CommandIds`
        :param on_abort: called to ask for an early end of the command, which is then reported to the handle;
            it must not wait. Without it a command that waits is simply ended; one that executes is
            expected to look at `CommandHandle.abort_requested`.
        :param pointer: sentence that says where to find a result that is too long for events
        :raises TooManyCommandsError: if too many commands wait or execute
        :raises ValueError: if there is a command of this ID
        :raises RuntimeError: if the tracker is closed
        :returns: the handle to which the end of the command is reported
        """
        with self._lock:
            self.require_room(name)
            return self._begin(CommandRecord(command_id, name, on_abort, pointer))

    def require_room(self, name: str) -> None:
        """Make sure that a new command can be taken, before anything is done for it.

        :param name: name of the Tango command
        :raises TooManyCommandsError: if too many commands wait or execute
        """
        with self._lock:
            waiting = [r for r in self._active.values() if r.status is not TaskStatus.IN_PROGRESS]
            if len(waiting) >= MAX_QUEUED or len(self._active) >= MAX_ACTIVE - _RESERVED_FOR_ABORTS:
                raise TooManyCommandsError(
                    f"{len(waiting)} commands wait and {len(self._active) - len(waiting)} execute: "
                    f"{name} was not taken. Wait until one of them has ended, then send it again."
                )

    def abort_all(self, command_id: str, name: str = "Abort") -> CommandHandle:
        """Ask all commands that wait or execute to end early. This is a command of its own.

        It ends when all of them have ended; those that begin later are not affected.

        :param command_id: ID of the Abort command
        :param name: its name
        :raises TooManyCommandsError: if too many such commands wait already
        :returns: the Abort command, which is executing by now or has ended
        """
        with self._lock:
            if len(self._active) >= MAX_ACTIVE:
                raise TooManyCommandsError(f"Too many commands execute: {name} was not taken.")
            abort = _Abort(
                self._begin(CommandRecord(command_id, name, is_abort=True)),
                [record for record in self._active.values() if not record.is_abort],
            )
            abort.handle.started()
            self._aborts.append(abort)
        # Not under the lock: these functions may wait for a thread that waits for the lock.
        for record in abort.targets:
            self._request_abort(record, abort)
        with self._lock:
            self._settle_aborts()
        return abort.handle

    def status(self, command_id: str) -> TaskStatus:
        """Return the status of a command, NOT_FOUND if it ended long ago or does not exist.

        :param command_id: ID of the command
        """
        with self._lock:
            record = self._find(command_id)
            return TaskStatus.NOT_FOUND if record is None else record.status

    def value(self, attribute: LrcAttribute) -> Spectrum:
        """Return the value of an attribute: the one that was announced last.

        :param attribute: name of the attribute
        """
        with self._lock:
            return self._values.get(attribute, ())

    def close(self) -> None:
        """End all commands as aborted, announce that, and from then on announce nothing more."""
        with self._lock:
            active = list(self._active.values())
        for record in active:
            self._request_abort(record)
        with self._lock:
            # Those that are aborted before those that abort them: an Abort of this moment has succeeded.
            for record in list(self._active.values()):
                CommandHandle(self, record).aborted()
            self._closed = True
        self._expiry.close()

    def advance(self, record: CommandRecord, status: TaskStatus) -> bool:
        """Change the status of a command that has not ended. For `CommandHandle`."""
        with self._lock:
            if record.id not in self._active or status <= record.status:
                return False
            record.enter(status)
            self._announce(LrcStep.ADVANCE, record, status=str(int(status)))
            return True

    def progress(self, record: CommandRecord, percent: int) -> bool:
        """Note the progress of a command. For `CommandHandle`."""
        with self._lock:
            executing = record.id in self._active and record.status is TaskStatus.IN_PROGRESS
            if not executing or percent == record.progress:
                return False
            record.advance(percent)
            self._announce(LrcStep.PROGRESS, record, progress=str(percent))
            return True

    def finish(self, record: CommandRecord, status: TaskStatus, result: Result) -> bool:
        """Note the end of a command. For `CommandHandle`."""
        with self._lock:
            if self._active.pop(record.id, None) is None:
                return False
            record.enter(status, result)
            self._last_result = record
            self._finished.append(record)
            self._keep_for_a_while(record)
            self._announce(LrcStep.END, record, status=str(int(status)), result=result.text)
            for abort in self._aborts:
                abort.waiting_for.discard(record.id)
            self._settle_aborts()
            return True

    def _begin(self, record: CommandRecord) -> CommandHandle:
        if self._closed:
            raise RuntimeError("the device is being deleted: it takes no more commands")
        if self._find(record.id) is not None:
            raise ValueError(f"there is a command of the ID {record.id} already")
        self._active[record.id] = self._known[record.id] = record
        self._announce(LrcStep.BEGIN, record, status=str(int(record.status)))
        return CommandHandle(self, record)

    def _find(self, command_id: str) -> CommandRecord | None:
        if command_id in self._known:
            return self._known[command_id]
        return next((record for record in self._finished if record.id == command_id), None)

    def _request_abort(self, record: CommandRecord, abort: _Abort | None = None) -> None:
        with self._lock:
            if record.abort_requested or record.status.is_final:
                return
            record.abort_requested = True
            if record.on_abort is None:
                if record.status is not TaskStatus.IN_PROGRESS:
                    CommandHandle(self, record).aborted()
                return
        try:
            record.on_abort()
        except Exception as error:
            LOGGER.exception("Could not abort %s", record.id)
            with self._lock:
                record.abort_requested = False
                if abort is not None:
                    abort.waiting_for.discard(record.id)
                    abort.errors.append(f"Could not abort {record.id}: {error}.")

    def _settle_aborts(self) -> None:
        # An Abort that ends calls this again: remove it from the list before that.
        ready = [abort for abort in self._aborts if not abort.waiting_for]
        self._aborts = [abort for abort in self._aborts if abort.waiting_for]
        for abort in ready:
            abort.end()

    def _commands(self) -> Commands:
        return Commands(self._known.values(), self._active.values(), self._finished, self._last_result)

    def _announce(self, step: LrcStep, record: CommandRecord | None = None, **event: str) -> None:
        """Call the sink with the changes, in the order of `LrcAttribute`.

        :param step: what has happened
        :param record: the command that changed
        :param event: the changes in the form of protocol version 2: members of a JSON object, as JSON texts
        """
        if self._closed:
            return
        shown = self._commands()
        for attribute in step.value:
            if attribute is LrcAttribute.EVENT:
                if record is not None:
                    self._sink(attribute, (record.id, json_object(**event)))
                continue
            value = attribute_value(attribute, shown)
            if value != self._values[attribute]:
                self._values[attribute] = value
                self._sink(attribute, value)

    def _keep_for_a_while(self, record: CommandRecord) -> None:
        record.expires = time.monotonic() + self._retention
        self._recent.append(record)
        if len(self._recent) > MAX_RECENT:
            self._forget_oldest()
        self._plan_expiry()

    def _forget_oldest(self) -> None:
        del self._known[self._recent.popleft().id]

    def _plan_expiry(self) -> None:
        if self._recent and not self._closed:
            least = time.monotonic() + self._retention / _EXPIRY_STEPS
            self._expiry.plan(max(self._recent[0].expires, least))

    def _expire(self) -> None:
        with self._lock:
            now = time.monotonic()
            while self._recent and self._recent[0].expires <= now:
                self._forget_oldest()
            self._announce(LrcStep.EXPIRY)
            self._plan_expiry()
