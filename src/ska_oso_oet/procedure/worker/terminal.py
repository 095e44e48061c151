"""The worker of a script that runs in the author's own process and terminal."""

import os
import pdb
import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from ska_oso_oet.interaction import link
from ska_oso_oet.mptools import EventMessage, TerminateInterrupt
from ska_oso_oet.mptools.encoding import to_json

from ..domain.errors import ScriptError
from .ending import Outcome
from .messages import FromWorker
from .script_worker import ScriptWorker
from .traces import has_default_hook

_SIGINT_STATUS, _SIGTERM_STATUS = 130, 143
"""Exit status that a shell reports for a program that a signal has ended, less the signal's number."""


class Inbox:
    """The messages for the worker: all are there from the beginning.

    :param messages: the messages
    """

    def __init__(self, messages: Iterable[EventMessage]) -> None:
        self._messages: queue.SimpleQueue[EventMessage] = queue.SimpleQueue()
        for message in messages:
            self._messages.put(message)

    def get(self, block: bool = True, timeout: float | None = None) -> EventMessage:
        """Return the next message; after the last one, wait until the process ends."""
        return self._messages.get(block, timeout)


class Terminal:
    """Shows the messages of the worker on standard error: standard output belongs to the script."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def put(self, item: EventMessage, block: bool = True, timeout: float | None = None) -> None:
        """Show a message of the worker."""
        message = item.msg
        if item.msg_type == FromWorker.LIFECYCLE:
            if trace := message.get("stacktrace"):
                self._write(trace.rstrip())
            self._write(f"[oet] {message['state']}")
        elif item.msg_type == FromWorker.PUBSUB:
            self._write(f"[oet] {_event_line(message['topic'], message['fields'])}")

    def _write(self, text: str) -> None:
        with self._lock:
            sys.__stderr__.write(f"{text}\n")  # type: ignore[union-attr]  # a terminal has one
            sys.__stderr__.flush()  # type: ignore[union-attr]


def _event_line(topic: str, fields: dict[str, Any]) -> str:
    match topic, fields:
        case "user.script.progress", {"progress": progress, **rest}:
            return f"progress {_percent(progress)} %" + (f": {rest['msg']}" if rest.get("msg") else "")
        case "user.script.announce", {"msg": str(msg)}:
            return f"{topic}: {msg}"
    given = {name: value for name, value in fields.items() if value is not None}
    return f"{topic} {to_json(given).decode()}"


def _percent(progress: Any) -> str:
    return f"{progress:g}" if isinstance(progress, int | float) else str(progress)


class TerminalWorker(ScriptWorker):
    """Runs a script in this process, with the streams that it has.

    :param debug: whether to open the debugger where the script raises
    """

    def init_args(self, *args: Any, debug: bool = False, **kwargs: Any) -> None:
        """Receive the arguments of this class."""
        super().init_args(*args, **kwargs)
        self._debug = debug
        self._exit_status: int | None = None
        self._is_quiet = False

    def startup(self) -> None:
        """Begin as any worker does, with no operator but the one at the terminal."""
        super().startup()
        link.connect(None)

    def _load(self, payload: dict[str, Any]) -> Any:
        with self._watched():
            return super()._load(payload)

    def _run(self, payload: dict[str, Any]) -> Any:
        with self._watched():
            return super()._run(payload)

    def _attempt(
        self, step: Callable[[dict[str, Any]], Outcome | None], payload: dict[str, Any]
    ) -> Outcome | None:
        outcome = super()._attempt(step, payload)
        if outcome is not None and (self._is_quiet or not has_default_hook()):
            return outcome._replace(trace="")  # the script has reported its exit
        return outcome

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if not self._is_forked():
                self._exit_status = _status_of(error)
                self._is_quiet = isinstance(error, SystemExit)
                if self._debug and not isinstance(error, SystemExit | TerminateInterrupt | ScriptError):
                    self.log.error("%s: %s; the debugger is open, 'q' leaves it", type(error).__name__, error)
                    pdb.post_mortem(error.__traceback__)
            raise

    def _end(self, status: int) -> NoReturn:
        if self._exit_status is not None and not self._is_forked():
            status = self._exit_status
        super()._end(status)


def _status_of(error: BaseException) -> int:
    """Return the exit status that Python, or a shell, gives a program that ends by an exception."""
    match error:
        case SystemExit(code=None):
            return os.EX_OK
        case SystemExit(code=int(code)):
            return code & 0xFF
        case TerminateInterrupt():
            return _SIGTERM_STATUS
        case KeyboardInterrupt():
            return _SIGINT_STATUS
    return 1
