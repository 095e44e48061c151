"""High-level interface of script execution."""

import functools
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.event.journal import Document, JournalUnavailable
from ska_oso_oet.event.view import DocumentView
from ska_oso_oet.model import Procedure
from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.mptools.strays import kill_strays

from ..domain import (
    ExecutableScript,
    ExecutorSettings,
    FileSystemScript,
    ProcedureInput,
    ProcedureNotFound,
    ProcedureState,
    ProcessManager,
    ScriptError,
    StateForbids,
)
from ..domain.output import OutputLog, prune_logs
from ..domain.removal import remove_tree
from ..domain.repositories import Repositories
from ..domain.roots import ScriptRoots
from ..domain.workplaces import working_directories
from .admission import Admission
from .commands import (
    Origin,
    PrepareProcessCommand,
    StartProcessCommand,
    StopOutcome,
    Stopping,
    StopProcessCommand,
)
from .noted import Noted
from .recorder import KIND, Recorder, to_document
from .summary import ProcedureSummary

LOGGER = logging.getLogger(__name__)

ABORT_SCRIPT = FileSystemScript((Path(__file__).parents[2] / "scripts" / "abort.py").as_uri())
"""Sends Abort to the subarray that a stopped script was using."""

NO_REPOSITORIES = Repositories()

OUTPUT_LOGS = 100
"""Output of how many procedures is kept on disk."""


class ScriptExecutionService:
    """Prepares, starts, stops and describes scripts, each in a process of its own.

    Call `shutdown` before letting go of it. The event bus is the caller's, who closes it afterwards.

    :param mp_context: multiprocessing context, None for the default
    :param abort_script: script that a stop may run afterwards
    :param on_pubsub: called, in the message loop's thread, with every event that a script publishes
    :param bus: event bus that everything is published on
    :param settings: how scripts are executed
    :param script_roots: where scripts may be; None for anywhere
    :param repositories: git repositories that scripts may be run from; by default there are none
    :param history_length: how many ended procedures `summarise` lists
    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    """

    def __init__(
        self,
        mp_context: BaseContext | None = None,
        abort_script: ExecutableScript = ABORT_SCRIPT,
        on_pubsub: list[Callable[[EventMessage], None]] | None = None,
        *,
        bus: EventBus,
        settings: ExecutorSettings,
        script_roots: ScriptRoots | None = None,
        repositories: Repositories = NO_REPOSITORIES,
        history_length: int = 10,
        on_output: Callable[[int], None] = lambda procedure_id: None,
        on_health: Callable[[], None] = lambda: None,
    ) -> None:
        self._bus = bus
        self._abort_script = abort_script
        self._admission = Admission(script_roots, repositories)
        self._output_folder = settings.state_directory / "output"
        self._first_id = bus.journal.last_id(KIND) + 1
        self._clean_up_after_the_dead(settings.state_directory)
        self.view = DocumentView(bus, KIND, history_length)
        with suppress(JournalUnavailable):
            self._declare_dead()
        bus.committed().result()
        self.manager = ProcessManager(
            mp_context,
            on_pubsub,
            settings=settings,
            observer=Recorder(bus, on_output, on_health),
            first_id=self._first_id,
        )

    def _clean_up_after_the_dead(self, state_directory: Path) -> None:
        """End what former servers may have left alive, and remove their scripts' working directories."""
        # With a fault, another server may be using the directory all the same.
        if self._bus.journal.fault is not None:
            kill_strays()
            return
        workplaces = working_directories(state_directory)
        kill_strays(workplaces)
        remove_tree(workplaces)

    def recall(self) -> None:
        """Take up what former servers have left in a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailable: if it still cannot be read
        """
        self.view.recall()
        self._declare_dead()

    def _declare_dead(self) -> None:
        """Say of procedures that were alive when their server died that nobody knows how they ended."""
        for document in self._bus.journal.live_documents(KIND):
            if document.id >= self._first_id:
                continue  # of this server, and alive
            summary = _declare_unknown(_parse_summary(document.text))
            event = Announcement(
                "procedure.lifecycle.statechange", str(summary.id), {"new_state": summary.state}
            )
            self._bus.publish(event, document=to_document(summary))

    # Requests

    def prepare(self, cmd: PrepareProcessCommand, origin: Origin | None = None) -> ProcedureSummary:
        """Load a script and call its ``init``, in the background.

        :param cmd: the script and its arguments
        :param origin: where the request comes from
        :returns: summary of the new procedure
        :raises ScriptError: if the script or the arguments cannot be accepted; nothing was created
        """
        origin = origin or Origin()
        path = self._admission.admit(cmd)
        self._announce_request("create", origin, _prepare_request(cmd))
        noted = Noted(self._bus)
        procedure_id = self._create(cmd, path, origin, noted.mark)
        noted.wait()
        return self.summary(procedure_id)

    def _create(
        self,
        cmd: PrepareProcessCommand,
        path: Path | None,
        origin: Origin,
        then: Callable[[], object] | None = None,
    ) -> int:
        live = [document.id for document in self.view.all() if document.live]
        prune_logs(self._output_folder, OUTPUT_LOGS - 1, live)
        return self.manager.create(
            cmd.script, init_args=cmd.init_args, main_args=cmd.main_args, path=path, origin=origin, then=then
        )

    def start(self, cmd: StartProcessCommand, origin: Origin | None = None) -> ProcedureSummary:
        """Call a function of a script that is READY, in the background.

        :param cmd: the procedure, the function and its arguments
        :param origin: where the request comes from
        :returns: summary of the procedure
        :raises ProcedureNotFound: if there is no such procedure
        :raises StateForbids: if its state, or another procedure that runs, forbids it
        :raises ArgumentsDoNotFit: if the arguments do not fit the function
        """
        origin = origin or Origin()
        summary = self.summary(cmd.process_uid)
        ended = StateForbids(f"procedure {summary.id} has ended: create it anew")
        if summary.state.is_final:
            raise ended
        run_args = cmd.run_args
        if run_args == ProcedureInput():
            run_args = summary.arguments_of(cmd.fn_name) or run_args
        request = {"pid": cmd.process_uid, "script_args": _script_args({cmd.fn_name: run_args})}
        announcement = _request("start", origin, request)
        noted = Noted(self._bus)
        try:
            self.manager.run(
                cmd.process_uid,
                call=cmd.fn_name,
                run_args=run_args,
                force_start=cmd.force_start,
                # Published where it is granted: if the bus is at work already, the script is told later.
                origin=replace(origin, announcement=announcement),
                then=noted.mark,
            )
        except Exception as error:
            self._bus.publish(announcement)
            if isinstance(error, ProcedureNotFound):  # it ended after the summary was made
                raise ended from None
            raise
        noted.wait()
        return self.summary(cmd.process_uid)

    def stop(self, cmd: StopProcessCommand, origin: Origin | None = None) -> list[ProcedureSummary]:
        """Stop a procedure, and run the abort script if asked to. Returns when all that is done.

        :param cmd: the procedure
        :param origin: where the request comes from
        :returns: summaries of the stopped procedure, and of the one that ran the abort script
        :raises ProcedureNotFound: if there is no such procedure
        :raises StateForbids: if it has ended already
        """
        outcome = self.request_stop(cmd, origin).result()
        return [outcome.stopped, outcome.abort] if outcome.abort is not None else [outcome.stopped]

    def request_stop(self, cmd: StopProcessCommand, origin: Origin | None = None) -> Stopping:
        """Begin to stop a procedure, as `stop` does, and return at once.

        Who tells a client that it was accepted waits for `EventBus.committed` before. The future is done by
        the thread of the event bus.
        """
        origin = origin or Origin()
        summary = self.summary(cmd.process_uid)
        not_running = StateForbids(f"Cannot stop script with ID {summary.id}: Script is not running")
        if summary.state.is_final:
            raise not_running
        request = {"pid": cmd.process_uid, "abort": cmd.run_abort}
        self._announce_request("stop", origin, request)
        abort_id, failure = self._prepare_abort(summary, origin) if cmd.run_abort else (None, None)
        following = None
        try:
            following = self.manager.request_stop(cmd.process_uid, successor=abort_id, origin=origin)
        except ProcedureNotFound:  # it ended meanwhile
            raise not_running from None
        finally:
            if abort_id is not None and abort_id != following:
                # There is nothing to follow, or another stop has brought its own.
                self._discard_abort(abort_id, origin)
        # An abort script that has ended before it could follow is reported as one that followed and failed.
        return self._outcome(cmd.process_uid, following or abort_id, failure)

    def _discard_abort(self, abort_id: int, origin: Origin) -> None:
        with suppress(ProcedureNotFound):  # it has ended by itself
            self.manager.request_stop(abort_id, origin=origin)

    def _prepare_abort(self, stopping: ProcedureSummary, origin: Origin) -> tuple[int | None, str | None]:
        """Prepare the abort script, so that it can follow at once. Returns its ID, or why there is none."""
        subarray = _subarray_id(stopping)
        arguments = ProcedureInput() if subarray is None else ProcedureInput(subarray_id=subarray)
        cmd = PrepareProcessCommand(self._abort_script, ProcedureInput(), main_args=arguments)
        try:
            path = self._admission.admit(cmd, trusted=True)
            return self._create(cmd, path, origin), None
        except (ScriptError, RuntimeError, OSError) as error:
            LOGGER.exception("The abort script cannot be run")
            return None, str(error)

    def _outcome(self, procedure_id: int, abort_id: int | None, failure: str | None) -> Stopping:
        outcome = Stopping(abort_id)
        stopped = self.view.ended(procedure_id)

        def conclude(abort: "Future[Document] | None") -> None:
            # Not read again: where little history is kept, a journal with a fault has no more to give.
            aborting = None if abort is None else abort.result()
            outcome.set_result(_describe_stop(stopped.result(), aborting, failure))

        def follow(_: Any) -> None:
            if abort_id is None:
                conclude(None)
                return
            try:
                self.view.ended(abort_id).add_done_callback(conclude)
            except JournalUnavailable as error:
                outcome.set_exception(error)

        stopped.add_done_callback(follow)
        return outcome

    def _announce_request(self, verb: str, origin: Origin, cmd: dict[str, Any]) -> None:
        self._bus.publish(_request(verb, origin, cmd))

    # Looking

    def summary(self, procedure_id: int) -> ProcedureSummary:
        """Return the summary of a procedure.

        :raises ProcedureNotFound: if it never was, or is no longer kept
        """
        document = self.view.get(procedure_id)
        if document is None:
            raise ProcedureNotFound(f"No information available for PID={procedure_id}")
        return _parse_summary(document.text)

    def summarise(self, pids: Iterable[int] | None = None) -> list[ProcedureSummary]:
        """Return summaries of procedures.

        :param pids: which ones; None for all that are live and the newest that have ended
        :raises ProcedureNotFound: if one of them never was, or is no longer kept
        """
        if pids is None:
            return [_parse_summary(document.text) for document in self.view.all()]
        return [self.summary(procedure_id) for procedure_id in pids]

    def output(self, procedure_id: int) -> OutputLog:
        """Return the output of a procedure, for reading.

        :raises ProcedureNotFound: if it never was, or is no longer kept
        """
        live = self.manager.output(procedure_id)
        if live is not None:
            return live
        self.summary(procedure_id)
        return OutputLog(self._output_folder, procedure_id)

    # The end

    def shutdown(self, timeout: float = 2.0) -> None:
        """Stop all procedures and end all their processes.

        :param timeout: seconds that scripts are given to end by themselves
        """
        self.manager.shutdown(timeout)
        self._bus.committed().result()


def _declare_unknown(summary: ProcedureSummary) -> ProcedureSummary:
    """Return the summary of a procedure whose server has died."""
    now = time.time()
    summary.state = ProcedureState.UNKNOWN
    summary.history.process_states.append((ProcedureState.UNKNOWN, now))
    noticed = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    summary.history.stacktrace = (
        "The server of this procedure ended while the procedure was alive, and its process was killed; "
        f"the next server noticed that at {noticed}. "
        "How far the script had come is not known: see its output and its events."
    )
    return summary


@functools.lru_cache(maxsize=64)
def _parse_model(text: str) -> Procedure:
    return Procedure.model_validate_json(text)


def _parse_summary(text: str) -> ProcedureSummary:
    return ProcedureSummary.from_model(_parse_model(text))


def _describe_stop(stopped: Document, abort: Document | None, failure: str | None) -> StopOutcome:
    """Say how a stop went.

    :param stopped: what was stopped, as it has ended
    :param abort: what ran the abort script, likewise
    :param failure: why there is none
    """
    aborting = None if abort is None else _parse_summary(abort.text)
    if aborting is not None and aborting.state is not ProcedureState.COMPLETE:
        trace = (aborting.history.stacktrace or "").strip().rpartition("\n")[2]
        failure = f"the abort script (procedure {aborting.id}) ended {aborting.state} {trace}".rstrip()
    return StopOutcome(_parse_summary(stopped.text), aborting, failure)


def _request(verb: str, origin: Origin, cmd: dict[str, Any]) -> Announcement:
    """Return the event of a request."""
    fields = {"request_id": origin.request_id, "cmd": cmd}
    return Announcement(f"request.procedure.{verb}", origin.msg_src, fields)


def _prepare_request(cmd: PrepareProcessCommand) -> dict[str, Any]:
    return {
        "script": cmd.script.to_model().model_dump(exclude_none=True),
        "script_args": _script_args({"init": cmd.init_args, "main": cmd.main_args}),
    }


def _script_args(calls: dict[str, ProcedureInput | None]) -> dict[str, Any]:
    return {
        function: {"args": list(arguments.args), "kwargs": arguments.kwargs}
        for function, arguments in calls.items()
        if arguments is not None
    }


def _subarray_id(summary: ProcedureSummary) -> Any:
    """Return the subarray that a script was told to use, None if it was not told."""
    for function in ("main", "init"):
        arguments = summary.arguments_of(function)
        if arguments is not None and "subarray_id" in arguments.kwargs:
            return arguments.kwargs["subarray_id"]
    return None
