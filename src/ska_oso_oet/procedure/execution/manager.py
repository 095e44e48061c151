"""The process manager: the interface to the message loop for all other threads.

The message loop is a thread of its own with an asyncio event loop: it waits for the pipes and the ends
of all workers, for timers and for requests, and it alone changes the state of procedures. Other threads
hand it a request and wait for the answer. So a decision and the reservation it leads to are one step.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from ska_oso_oet.files import TemporaryFolder
from ska_oso_oet.model import ExecutableScript, ProcedureInput
from ska_oso_oet.mptools import EventMessage, WorkerContext, forkserver_context

from ..domain.errors import ProcedureNotFoundError, StopWithdrawnError
from ..domain.settings import ExecutorSettings
from .conversations import Conversations
from .loop import ProcedureLoop
from .observer import ProcedureObserver, guarded, guarded_observer
from .output import OutputLog
from .procedure import Accepted, Call, ProcedurePlan

LOGGER = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that ending processes by SIGKILL may take.
_KILL_TIME = 2.0
_SHUT_DOWN = "script execution has been shut down"
_WORKER_MODULES = ("ska_oso_oet.procedure.worker.script_worker", "ska_oso_oet.procedure.worker.packages")


class ProcessManager:
    """Parent of all processes that run scripts: creates them, calls their functions, stops them.

    It keeps no history; an observer may. Call `shutdown` in the end.

    :param mp_context: multiprocessing context, by default one whose children come from a forkserver
    :param on_pubsub: called by the message loop, in its thread, with every event that a script publishes;
        must be quick
    :param settings: how scripts are executed; by default with a temporary state directory
    :param observer: called with all that happens to procedures
    :param first_id: ID of the first procedure
    :param first_question_id: ID of the first question
    """

    def __init__(
        self,
        mp_context: BaseContext | None = None,
        on_pubsub: list[Callable[[EventMessage], None]] | None = None,
        *,
        settings: ExecutorSettings | None = None,
        observer: ProcedureObserver | None = None,
        first_id: int = 1,
        first_question_id: int = 1,
    ) -> None:
        callbacks = [guarded(callback) for callback in on_pubsub or []]
        self._temporary: TemporaryFolder | None = None
        if settings is None:
            self._temporary = TemporaryFolder()
            settings = ExecutorSettings(self._temporary.path)
        self._context = WorkerContext(mp_context or forkserver_context([*settings.preload, *_WORKER_MODULES]))
        self._observer = guarded_observer(observer)
        self._unanswered: set[Future[Any]] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_log_loop_exception)
        self._thread = threading.Thread(target=self._run_loop, name="oet-message-loop", daemon=True)
        self._thread.start()
        try:
            self._procedures: ProcedureLoop = self._call(
                ProcedureLoop,
                self._context,
                settings,
                self._observer,
                callbacks,
                first_id,
                first_question_id,
            )
        except BaseException:
            self._end_loop()
            raise

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()
        # No other code would answer requests that came after the end of the loop.
        for future in list(self._unanswered):
            future.set_exception(RuntimeError(_SHUT_DOWN))

    def _submit(self, work: Callable[[], T], answer: Callable[["Future[Any]", T], None]) -> "Future[Any]":
        """Have the message loop do something.

        :param work: returns the result
        :param answer: called with the future that this returns, and the result, to answer the future
        """
        future = self._expect_answer()

        def run() -> None:
            try:
                with self._observer.together():
                    result = work()
            except Exception as error:  # the exception is for the caller
                future.set_exception(error)
            else:
                answer(future, result)

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
        """Call a function in the message loop, and return its result."""
        result: T = self._submit(partial(function, *args, **kwargs), Future.set_result).result()
        return result

    def _call_committed(self, function: Callable[P, Accepted], *args: P.args, **kwargs: P.kwargs) -> int:
        """Call a function in the message loop. Returns when what it has accepted is in the journal.

        The calling thread is woken once: if it waited for the answer first, and then for the journal, it
        would delay the threads that work meanwhile.
        """

        def announce(future: "Future[int]", accepted: Accepted) -> None:
            # From now on, the journal answers, also when this loop has ended.
            self._unanswered.discard(future)
            accepted.announce(future)

        return int(self._submit(partial(function, *args, **kwargs), announce).result())

    def create(
        self,
        script: ExecutableScript,
        *,
        init_args: ProcedureInput,
        main_args: ProcedureInput | None = None,
        path: Path | None = None,
        origin: Any = None,
    ) -> int:
        """Create a procedure: load a script in a process of its own and call its ``init``.

        Returns before that is done.

        :param script: what to run
        :param init_args: arguments of ``init``, where the script has one
        :param main_args: arguments of ``main``, if they are known already
        :param path: file of the script; by default the one it names
        :param origin: passed on to the observer
        :returns: ID of the procedure
        """
        return self.begin(ProcedurePlan(script, path, init_args, main_args), origin)

    def begin(self, plan: ProcedurePlan, origin: Any = None) -> int:
        """Create a procedure, as `create` does. Returns its ID, maybe before that is in the journal.

        :param plan: what the procedure is to run
        :param origin: passed on to the observer
        """
        return self._call(self._procedures.create, plan, origin).procedure_id

    def begin_committed(self, plan: ProcedurePlan, origin: Any = None) -> int:
        """Create a procedure, as `begin` does. Returns its ID when that is in the journal.

        :param plan: what the procedure is to run
        :param origin: passed on to the observer
        """
        return self._call_committed(self._procedures.create, plan, origin)

    def run(self, process_id: int, *, call: str, run_args: ProcedureInput, force_start: bool = False) -> None:
        """Call a function of a script that is READY. Returns when the call was sent to the script.

        :param process_id: ID of the procedure
        :param call: name of the function
        :param run_args: its arguments
        :param force_start: accept a procedure that is not READY yet: it starts as soon as it is
        :raises ProcedureNotFoundError: if no such procedure is live
        :raises StateForbidsError: if it is not READY, or another one runs
        :raises ArgumentsError: if the arguments do not fit the function
        """
        self.call(process_id, Call(call, run_args), force_start=force_start)

    def call(
        self,
        process_id: int,
        call: Call,
        *,
        force_start: bool = False,
        origin: Any = None,
        release: bool = False,
    ) -> None:
        """Call a function of a script, as `run` does. Returns when that is in the journal.

        :param process_id: ID of the procedure
        :param call: the function and its arguments
        :param force_start: accept a procedure that is not READY yet: it starts as soon as it is
        :param origin: passed on to the observer
        :param release: accept a procedure that is held, see `Hold`: its ``init`` is called, if it was not yet
        :raises ProcedureNotFoundError: if no such procedure is live
        :raises StateForbidsError: if it is not READY, or held, or another one runs
        :raises ArgumentsError: if the arguments do not fit the function
        """
        self._call_committed(self._procedures.run, process_id, call, force_start, origin, release)

    def stop(self, process_id: int) -> None:
        """Stop a procedure in any state, by SIGKILL if necessary. Returns when it has stopped.

        :param process_id: ID of the procedure
        :raises ProcedureNotFoundError: if no such procedure is live
        """
        stopped = self._expect_answer()
        self._call(self._procedures.stop, process_id, lambda: stopped.set_result(None))
        stopped.result()

    def request_stop(
        self,
        process_id: int,
        successor: int | None = None,
        origin: Any = None,
        reason: str | None = None,
    ) -> int | None:
        """Begin to stop a procedure, and return at once. Several requests are one.

        :param process_id: ID of the procedure
        :param successor: ID of a procedure whose ``main`` is to be called at once when this one has stopped
        :param origin: passed on to the observer
        :param reason: why, if no client has asked for that
        :returns: ID of the procedure that will follow, which is that of an earlier request if that named one,
            and None if the one named has ended already
        :raises ProcedureNotFoundError: if no such procedure is live
        """
        return self._call(self._procedures.stop, process_id, lambda: None, successor, origin, reason)

    def request_stop_at_checkpoint(
        self,
        process_id: int,
        on_withdrawn: Callable[[StopWithdrawnError], None],
        successor: int | None = None,
        origin: Any = None,
    ) -> int | None:
        """Stop a procedure at its next checkpoint, and at once if it is not RUNNING.

        :param process_id: ID of the procedure
        :param on_withdrawn: called by the message loop if there will be no stop: it was withdrawn, or the
            procedure has ended by itself
        :param successor: see `request_stop`
        :param origin: passed on to the observer
        :returns: see `request_stop`
        :raises ProcedureNotFoundError: if no such procedure is live
        """
        return self._call(self._procedures.stop_at_checkpoint, process_id, on_withdrawn, successor, origin)

    def converse(
        self, request: Callable[Concatenate[Conversations, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Make a request about pauses, questions or messages of scripts, and return its answer.

        :param request: a method of `Conversations`
        """
        return self._call(request, self._procedures.conversations, *args, **kwargs)

    def describe(self, script: ExecutableScript, path: Path | None) -> "Future[str]":
        """Begin to describe a script, and return at once. Cancelling the future ends that.

        :param script: the script
        :param path: its file, found and checked, if it is one
        :returns: gets a `ScriptDescription` as JSON, or a PreparationError
        """
        describing = self._procedures.preparations.describe(script, path, _Silent())
        return asyncio.run_coroutine_threadsafe(describing, self._loop)

    def output(self, process_id: int) -> OutputLog | None:
        """Return the output of a live procedure, None if there is no such procedure."""
        try:
            return self._procedures.live(process_id).output
        except ProcedureNotFoundError:
            return None

    @property
    def running(self) -> int | None:
        """ID of the procedure that runs ``main``, or is about to; None if there is none."""
        return self._procedures.running

    @property
    def fault(self) -> str | None:
        """Why scripts cannot be run, None while they can."""
        return self._procedures.pool.fault

    @property
    def output_fault(self) -> str | None:
        """Procedures whose output is not written to disk, and why; None while all is written."""
        return self._procedures.output_faults.sentence

    @property
    def standby_workers(self) -> int:
        """How many workers are on standby."""
        return self._procedures.pool.standby

    @property
    def unresponsive(self) -> list[int]:
        """IDs of procedures whose process does not answer."""
        return self._procedures.watchdog.mute

    def shutdown(self, timeout: float = 2.0, reason: str | None = None) -> None:
        """Stop all procedures, end all processes and the message loop.

        :param timeout: seconds that scripts are given to end by themselves
        :param reason: why, for those that are STOPPED by this
        """
        if not self._thread.is_alive():
            return
        closing = asyncio.run_coroutine_threadsafe(self._procedures.close(timeout, reason), self._loop)
        try:
            closing.result(timeout + _KILL_TIME)
        except Exception:
            # The server must end: remaining workers are killed, see `_end_loop`.
            LOGGER.exception("The process manager could not end its processes in order")
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_KILL_TIME)
        self._context.close()  # kills the workers that are left
        if self._temporary is not None:
            self._temporary.remove()


class _Silent:
    """Listener to the progress of a preparation that is not followed."""

    def progressed(self, text: str) -> None:
        """Do nothing."""

    def wrote(self, data: bytes) -> None:
        """Do nothing."""


def _log_loop_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    LOGGER.error("In the message loop: %s", context["message"], exc_info=context.get("exception"))
