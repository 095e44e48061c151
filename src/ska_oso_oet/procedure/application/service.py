"""High-level interface of script execution."""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from functools import cache, partial
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.summaries import SummaryStore
from ska_oso_oet.files import TemporaryFolder, remove_tree
from ska_oso_oet.journal import MemoryJournal
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import (
    ExecutableScript,
    FileSystemScript,
    ProcedureInput,
    ProcedureSummary,
    ScriptDescription,
)
from ska_oso_oet.mptools import EventMessage
from ska_oso_oet.mptools.strays import kill_strays

from ..domain.errors import NotKeptError, OutputNotKeptError, ProcedureNotFoundError, StateForbidsError
from ..domain.repositories import Repositories
from ..domain.roots import ScriptRoots
from ..domain.settings import ExecutorSettings
from ..domain.subarrays import Signatures
from ..execution.kept_files import KeptFiles
from ..execution.kept_output import KeptOutput
from ..execution.manager import ProcessManager
from ..execution.output import OutputLog
from ..execution.procedure import Call, ProcedurePlan
from ..execution.working_directories import working_directories
from . import request_events
from .abandoned import conclude_as_unknown
from .admission import Admission
from .commands import (
    Origin,
    PrepareProcessCommand,
    StartProcessCommand,
    Stopping,
    StopProcessCommand,
)
from .operator import OperatorService
from .questions import question_store
from .recorder import KIND, Recorder
from .run_records import RunRecords
from .stops import Stops

LOGGER = logging.getLogger(__name__)

ABORT_SCRIPT = FileSystemScript((Path(__file__).parents[2] / "scripts" / "abort.py").as_uri())
"""Sends Abort to the subarray that a stopped script was using."""

NO_REPOSITORIES = Repositories()


class ScriptExecutionService:
    """Prepares, starts, stops and describes scripts, each in a process of its own.

    Call `shutdown` in the end. An event bus that is given is the caller's, who closes it afterwards.

    :param mp_context: multiprocessing context, None for the default
    :param abort_script: script that a stop may run afterwards
    :param on_pubsub: called, in the message loop's thread, with every event that a script publishes
    :param bus: event bus that everything is published on; by default one that keeps it in memory
    :param settings: how scripts are executed; by default with a temporary state directory
    :param script_roots: where scripts may be; None for anywhere
    :param repositories: git repositories that scripts may be run from; by default there are none
    :param history_length: how many ended procedures `summarise` lists
    :param on_output: called when a procedure has written output, with its ID
    :param on_health: called when the health of script execution may have changed
    :ivar call_when_idle: subscribes a function to the moments when no procedure runs, see `Recorder`
    """

    def __init__(
        self,
        mp_context: BaseContext | None = None,
        abort_script: ExecutableScript = ABORT_SCRIPT,
        on_pubsub: list[Callable[[EventMessage], None]] | None = None,
        *,
        bus: EventBus | None = None,
        settings: ExecutorSettings | None = None,
        script_roots: ScriptRoots | None = None,
        repositories: Repositories = NO_REPOSITORIES,
        history_length: int = 10,
        on_output: Callable[[int], None] = lambda procedure_id: None,
        on_health: Callable[[], None] = lambda: None,
    ) -> None:
        with ExitStack() as own:
            if bus is None:
                bus = EventBus(MemoryJournal())
                own.callback(bus.close)
            if settings is None:
                temporary = TemporaryFolder()
                own.callback(temporary.remove)
                settings = ExecutorSettings(temporary.path)
            self.bus = bus
            self.subarray_id = settings.subarray_id
            self._admission = Admission(
                script_roots,
                repositories,
                settings.script_size_limit,
                allow_embedded=settings.allow_embedded_scripts,
            )
            self._output_logs = settings.output_logs
            self._kept_output = KeptOutput(settings.state_directory / "output")
            kept = KeptFiles(settings.state_directory, settings.files_limit)
            self._clean_up_after_former_servers(settings.state_directory, kept)
            self._summaries = SummaryStore(
                bus,
                KIND,
                read=ProcedureSummary.model_validate_json,
                conclude=partial(conclude_as_unknown, kept),
                history_length=history_length,
            )
            questions = question_store(bus, history_length)
            recorder = Recorder(bus, self._summaries, questions, on_output, on_health)
            self.call_when_idle = recorder.call_when_idle
            self.manager = ProcessManager(
                mp_context,
                on_pubsub,
                settings=settings,
                observer=recorder,
                first_id=self._summaries.first_id,
                first_question_id=questions.first_id,
            )
            self.records = RunRecords(settings, self.summary)
            self.operator = OperatorService(bus, self.manager, questions)
            self._stops = Stops(
                bus, self.manager, self._summaries, self._admission, abort_script, create=self._create
            )
            self._is_shut_down = False
            self._own = own.pop_all()

    def _clean_up_after_former_servers(self, state_directory: Path, kept: KeptFiles) -> None:
        """End processes that previous servers may have left, and keep the files of their scripts."""
        # With a fault, another server may still be using the directory.
        if self.bus.journal.fault is not None:
            kill_strays()
            return
        workplaces = working_directories(state_directory)
        kill_strays(workplaces)
        kept.keep_all(workplaces)
        remove_tree(workplaces)

    @property
    def view(self) -> DocumentView:
        """The documents of procedures."""
        return self._summaries.view

    def recall(self) -> None:
        """Load the records of previous servers from a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailableError: if it still cannot be read
        """
        self._summaries.recall()
        self.operator.recall()

    # Requests

    def check(self, cmds: Iterable[PrepareProcessCommand]) -> None:
        """Check scripts and the arguments for them, and create nothing.

        :param cmds: the scripts and their arguments; each script is read once
        :raises ScriptError: if a script or its arguments cannot be accepted
        """
        examine = cache(self._admission.examine)
        for cmd in cmds:
            examine(cmd.script).plan(cmd, self.subarray_id)

    def prepare(self, cmd: PrepareProcessCommand, origin: Origin | None = None) -> ProcedureSummary:
        """Load a script and call its ``init``, in the background.

        :param cmd: the script and its arguments
        :param origin: origin of the request
        :returns: summary of the new procedure
        :raises ScriptError: if the script or the arguments cannot be accepted; nothing was created
        :raises StateForbidsError: if too many procedures wait to be started
        """
        origin = origin or Origin()
        admitted = self._admission.examine(cmd.script)
        cmd = cmd.overridden(admitted.signature)
        # Entries of the queue are few and need not wait for procedures of clients.
        urgent = origin.queue_entry is not None
        plan = admitted.plan(cmd, self.subarray_id)._replace(hold=cmd.hold, urgent=urgent)
        announcement = request_events.request("create", origin, request_events.prepare_fields(cmd))
        try:
            # Published when it is granted: with the first state, in one transaction.
            procedure_id = self.manager.begin_committed(
                plan._replace(trace=origin.trace), replace(origin, announcement=announcement)
            )
        except Exception:
            self.bus.publish(announcement)
            raise
        return self.summary(procedure_id)

    def has_changed(self, procedure: ProcedureSummary) -> bool:
        """Return whether the text of a script has changed since the script was loaded.

        :param procedure: the procedure that has loaded it
        """
        loaded = procedure.script_sha256
        return loaded is not None and self._admission.sha256(procedure.script) not in (None, loaded)

    def signatures(self, script: ExecutableScript) -> Signatures:
        """Return the signatures of the functions of a script, without running it.

        :param script: the script
        :returns: those of ``init`` and ``main``; None of one that shows only when the script is loaded
        :raises ScriptError: if the script is refused
        """
        admitted = self._admission.examine(script)
        return {function: admitted.signature(function) for function in ("init", "main")}

    def _create(self, plan: ProcedurePlan, origin: Origin) -> int:
        return self.manager.begin(plan._replace(trace=origin.trace), origin)

    def start(self, cmd: StartProcessCommand, origin: Origin | None = None) -> ProcedureSummary:
        """Call a function of a script that is READY, in the background.

        :param cmd: the procedure, the function and its arguments
        :param origin: origin of the request
        :returns: summary of the procedure
        :raises ProcedureNotFoundError: if there is no such procedure
        :raises StateForbidsError: if its state, or another procedure that runs, forbids it
        :raises ArgumentsError: if the arguments do not fit the function
        """
        origin = origin or Origin()
        summary = self.summary(cmd.process_uid)
        ended = StateForbidsError(f"procedure {summary.id} has ended: create it again")
        if summary.state.is_final:
            raise ended
        run_args = cmd.run_args
        if run_args == ProcedureInput():
            run_args = summary.arguments_of(cmd.fn_name) or run_args
        announcement = request_events.request("start", origin, request_events.start_fields(cmd, run_args))
        try:
            self.manager.call(
                cmd.process_uid,
                Call(cmd.fn_name, run_args),
                force_start=cmd.force_start,
                release=cmd.release,
                # Published when it is granted: if the bus were at work already, the script would start later.
                origin=replace(origin, announcement=announcement, recorded_as="started_by"),
            )
        except Exception as error:
            self.bus.publish(announcement)
            if isinstance(error, ProcedureNotFoundError):  # it ended after the summary was made
                raise ended from None
            raise
        return self.summary(cmd.process_uid)

    def stop(self, cmd: StopProcessCommand, origin: Origin | None = None) -> list[ProcedureSummary]:
        """Stop a procedure, and run the abort script if requested. Returns when both have ended.

        :param cmd: the procedure
        :param origin: origin of the request
        :returns: summaries of the stopped procedure, and of the one that ran the abort script
        :raises ProcedureNotFoundError: if there is no such procedure
        :raises StateForbidsError: if it has ended already
        """
        outcome = self.request_stop(cmd, origin).result()
        return [outcome.stopped, outcome.abort] if outcome.abort is not None else [outcome.stopped]

    def request_stop(self, cmd: StopProcessCommand, origin: Origin | None = None) -> Stopping:
        """Begin to stop a procedure, as `stop` does, and return at once.

        Before a client is informed that it was accepted, wait for `EventBus.committed`. The future is done by
        the thread of the event bus.
        """
        return self._stops.request(cmd, origin or Origin())

    def _announce_request(self, verb: str, origin: Origin, cmd: dict[str, Any]) -> None:
        self.bus.publish(request_events.request(verb, origin, cmd))

    # Looking

    def describe(self, script: ExecutableScript) -> ScriptDescription:
        """Return the description of a script, without running it; see `Admission.describe`."""
        return self._admission.describe(script)

    def examine(self, script: ExecutableScript) -> Future[str]:
        """Begin to describe any script, also a long one, or one in git, and return at once.

        :param script: the script
        :returns: gets a `ScriptDescription` as JSON, or a PreparationError
        :raises ScriptError: if the script is refused
        """
        return self.manager.describe(script, self._admission.locate(script))

    def summary(self, procedure_id: int) -> ProcedureSummary:
        """Return the summary of a procedure.

        :raises ProcedureNotFoundError: if it does not exist, or is no longer kept
        """
        summary = self._summaries.get(procedure_id)
        if summary is None:
            raise ProcedureNotFoundError(f"No information available for PID={procedure_id}")
        return summary

    def summarise(self, pids: Iterable[int] | None = None) -> list[ProcedureSummary]:
        """Return summaries of procedures.

        :param pids: which ones; None for all that are live and the newest that have ended
        :raises ProcedureNotFoundError: if one of them does not exist, or is no longer kept
        """
        if pids is None:
            return self._summaries.listed()
        return [self.summary(procedure_id) for procedure_id in pids]

    def output(self, procedure_id: int) -> OutputLog:
        """Return the output of a procedure, for reading.

        :raises ProcedureNotFoundError: if it does not exist, or is no longer kept
        :raises NotKeptError: if its output is not kept, or cannot be read
        """
        live = self.manager.output(procedure_id)
        if live is None:
            self.summary(procedure_id)
        try:
            log = self._kept_output.log(procedure_id, live)
        except OSError as error:
            raise NotKeptError(
                f"The output of procedure {procedure_id} cannot be read ({error}): let the user of this "
                "server read that file."
            ) from error
        if log is None:
            raise OutputNotKeptError(procedure_id, self._output_logs)
        return log

    # The end

    def shutdown(self, timeout: float = 2.0, reason: str | None = None) -> None:
        """Stop all procedures and end all their processes.

        :param timeout: seconds that scripts are given to end by themselves
        :param reason: why, for those that are STOPPED by this
        """
        if self._is_shut_down:
            return
        self._is_shut_down = True
        # Objects that this service has created for itself end last.
        with self._own:
            self.manager.shutdown(timeout, reason)
            self.bus.committed().result()
