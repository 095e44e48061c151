"""The supervisor of all scripts' processes, and its message loop.

The message loop is a thread of its own with an asyncio event loop: it waits for the pipes and the ends
of all workers, for timers and for requests, and it alone changes the state of procedures. Everyone else
hands it a request and waits for the answer. So a decision and the reservation it leads to are one step.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ska_oso_oet.mptools import EventMessage, MainContext, forkserver_context

from .errors import ProcedureNotFound
from .observer import GuardedObserver, ProcedureObserver
from .output import OutputLog
from .procedure import Call, ProcedureRequest
from .scripts import ExecutableScript, ProcedureInput
from .settings import ExecutorSettings
from .supervisor import Supervisor

LOGGER = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that ending processes by force may take.
_KILL_TIME = 2.0
_SHUT_DOWN = "script execution has been shut down"
_WORKER_MODULE = "ska_oso_oet.procedure.domain.worker"


class ProcessManager:
    """Parent of all processes that run scripts: creates them, has them run functions, stops them.

    It keeps no history; an observer may. Call `shutdown` before letting go of it.

    :param mp_context: multiprocessing context, by default one whose children come from a forkserver
    :param on_pubsub: called by the message loop, in its thread, with every event that a script publishes;
        must be quick
    :param settings: how scripts are executed
    :param observer: told of everything that happens to procedures
    :param first_id: ID of the first procedure
    """

    def __init__(
        self,
        mp_context: BaseContext | None = None,
        on_pubsub: list[Callable[[EventMessage], None]] | None = None,
        *,
        settings: ExecutorSettings,
        observer: ProcedureObserver | None = None,
        first_id: int = 1,
    ) -> None:
        self._context = MainContext(mp_context or forkserver_context([*settings.preload, _WORKER_MODULE]))
        self._unanswered: set[Future[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_loop_exception)
        self._thread = threading.Thread(target=self._run_loop, name="oet-message-loop", daemon=True)
        self._thread.start()
        guarded = GuardedObserver(observer, on_pubsub or [])
        try:
            self._supervisor: Supervisor = self._call(Supervisor, self._context, settings, guarded, first_id)
        except BaseException:
            self._end_loop()
            raise

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()
        # Nobody else would answer those whose requests came after the end of the loop.
        for future in list(self._unanswered):
            future.set_exception(RuntimeError(_SHUT_DOWN))

    def _submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have a function called in the message loop."""
        future = self._expect_answer()

        def run() -> None:
            try:
                future.set_result(function(*args, **kwargs))
            except Exception as error:  # it is the caller who must learn of it
                future.set_exception(error)

        try:
            self._loop.call_soon_threadsafe(run)
        except RuntimeError:
            raise RuntimeError(_SHUT_DOWN) from None
        return future

    def _expect_answer(self) -> "Future[Any]":
        """Return a future that is done at the latest when the message loop has ended."""
        future: Future[Any] = Future()
        self._unanswered.add(future)
        future.add_done_callback(self._unanswered.discard)
        return future

    def _call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return self._submit(function, *args, **kwargs).result()

    def _call_then(
        self, then: Callable[[], object] | None, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Have two functions called in one step of the message loop, the second if there is one.

        :param then: the second
        :returns: what the first has returned
        """

        def step() -> T:
            result = function(*args, **kwargs)
            if then is not None:
                then()
            return result

        return self._call(step)

    def create(
        self,
        script: ExecutableScript,
        *,
        init_args: ProcedureInput,
        main_args: ProcedureInput | None = None,
        path: Path | None = None,
        origin: Any = None,
        then: Callable[[], object] | None = None,
    ) -> int:
        """Create a procedure: load a script in a process of its own and call its ``init``.

        Returns before that is done.

        :param script: what to run
        :param init_args: arguments of ``init``, where the script has one
        :param main_args: arguments of ``main``, if they are known already
        :param path: file of the script; by default the one it names
        :param origin: passed on to the observer
        :param then: called by the message loop when the observer was told, before anything else happens
        :returns: ID of the procedure
        """
        request = ProcedureRequest(script, path, init_args, main_args)
        return self._call_then(then, self._supervisor.create, request, origin)

    def run(
        self,
        process_id: int,
        *,
        call: str,
        run_args: ProcedureInput,
        force_start: bool = False,
        origin: Any = None,
        then: Callable[[], object] | None = None,
    ) -> None:
        """Call a function of a script that is READY. Returns when the script has been told.

        :param process_id: ID of the procedure
        :param call: name of the function
        :param run_args: its arguments
        :param force_start: accept a procedure that is not READY yet: it starts as soon as it is
        :param origin: passed on to the observer
        :param then: called by the message loop when the observer was told, before anything else happens
        :raises ProcedureNotFound: if no such procedure is live
        :raises StateForbids: if it is not READY, or another one runs
        :raises ArgumentsDoNotFit: if the arguments do not fit the function
        """
        self._call_then(then, self._supervisor.run, process_id, Call(call, run_args), force_start, origin)

    def stop(self, process_id: int) -> None:
        """Stop a procedure in whatever state it is, by force if need be. Returns when it has stopped.

        :param process_id: ID of the procedure
        :raises ProcedureNotFound: if no such procedure is live
        """
        stopped = self._expect_answer()
        self._call(self._supervisor.stop, process_id, lambda: stopped.set_result(None))
        stopped.result()

    def request_stop(self, process_id: int, successor: int | None = None, origin: Any = None) -> int | None:
        """Begin to stop a procedure, and return at once. Several requests are one.

        :param process_id: ID of the procedure
        :param successor: ID of a procedure whose ``main`` is to be called at once when this one has stopped
        :param origin: passed on to the observer
        :returns: ID of the procedure that will follow, which is that of an earlier request if that named one,
            and None if the one named has ended already
        :raises ProcedureNotFound: if no such procedure is live
        """
        return self._call(self._supervisor.stop, process_id, lambda: None, successor, origin)

    def output(self, process_id: int) -> OutputLog | None:
        """Return the output of a live procedure, None if there is no such procedure."""
        try:
            return self._supervisor.live(process_id).output
        except ProcedureNotFound:
            return None

    @property
    def running(self) -> int | None:
        """ID of the procedure that runs ``main``, or is about to; None if there is none."""
        return self._supervisor.running

    @property
    def fault(self) -> str | None:
        """Why scripts cannot be run, None while they can."""
        return self._supervisor.fault

    @property
    def standby_workers(self) -> int:
        """How many workers are on standby."""
        return self._supervisor.standby_workers

    @property
    def unresponsive(self) -> list[int]:
        """IDs of procedures whose process does not answer."""
        return self._supervisor.unresponsive

    def shutdown(self, timeout: float = 2.0) -> None:
        """Stop all procedures, end all processes and the message loop.

        :param timeout: seconds that scripts are given to end by themselves
        """
        if not self._thread.is_alive():
            return
        closing = asyncio.run_coroutine_threadsafe(self._supervisor.close(timeout), self._loop)
        try:
            closing.result(timeout + _KILL_TIME)
        except Exception:
            # A server that is told to end must end. What is left of its workers dies with it.
            LOGGER.exception("The process manager could not end its processes in order")
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_KILL_TIME)
        self._context.close()


def _log_loop_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    LOGGER.error("In the message loop: %s", context["message"], exc_info=context.get("exception"))
