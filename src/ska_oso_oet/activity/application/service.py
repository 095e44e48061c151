"""High-level interface of activities."""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.files import TemporaryFolder
from ska_oso_oet.journal import Batch
from ska_oso_oet.journal.document_view import DocumentView
from ska_oso_oet.model import ActivitySummary, ProcedureSummary, Requester
from ska_oso_oet.oda import Oda, OdaError, SBDefinition, SBInstance, open_oda
from ska_oso_oet.procedure.application import (
    Origin,
    PrepareProcessCommand,
    ScriptExecutionService,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.procedure.domain import (
    AnotherProcedureRunsError,
    ProcedureInput,
    ProcedureNotFoundError,
    ScriptError,
    StateForbidsError,
    subarrays,
)

from ..domain import (
    Activity,
    ActivityNotFoundError,
    ActivityRefusedError,
    ActivityState,
    activity_states,
    merge_arguments,
    to_script,
)
from .block_search import BlockSearch
from .commands import ActivityCommand
from .daemon_pool import DaemonPool, Job
from .register import KIND, SOURCE, ActivityRegister, origin_of
from .sb_files import SbFiles
from .scheduling_blocks import SchedulingBlocks

LOGGER = logging.getLogger(__name__)

_EXPECTED = (OdaError, ScriptError, ActivityRefusedError, StateForbidsError)
"""Exceptions by which an activity may fail without any defect of this program."""

_ODA_THREADS = 16
"""How many requests to the ODA there may be at the same time."""

_CLOSE_TIMEOUT = 0.5


class ActivityService:
    """Runs activities of Scheduling Blocks, each by a procedure of the script execution service.

    Steps that may take long run in threads of this service. The state of an activity follows from the
    documents of its procedure, even if other clients start and stop that procedure.

    Call `close` before the script execution service is shut down.

    :param scripts: runs the scripts; by default a service of its own, which `close` shuts down
    :param bus: event bus that everything is published on; it is that of `scripts`, where these are given
    :param state_directory: folder for Scheduling Blocks that scripts are to read, in its subfolder ``sbs``;
        by default a temporary one
    :param sb_roots: folders that files of Scheduling Blocks may be in
    :param history_length: how many ended activities `summarise` lists
    :param connect: opens the ODA; by default the one that the environment names
    :param record_executions: whether to report executions to the ODA
    """

    def __init__(
        self,
        scripts: ScriptExecutionService | None = None,
        *,
        bus: EventBus | None = None,
        state_directory: Path | None = None,
        sb_roots: Sequence[Path] = (),
        history_length: int = 10,
        connect: Callable[[], Oda] = open_oda,
        record_executions: bool = True,
    ) -> None:
        # Objects that this service has created for itself, and ends in `close`.
        self._own = ExitStack()
        is_new = state_directory is None
        if state_directory is None:
            temporary = TemporaryFolder()
            self._own.callback(temporary.remove)
            state_directory = temporary.path
        if scripts is None:
            scripts = ScriptExecutionService(bus=bus)
            self._own.callback(scripts.shutdown)
        self.scripts = scripts
        self._bus = bus = scripts.bus
        self._blocks = SchedulingBlocks(connect, sb_roots, record_executions)
        self._files = SbFiles(state_directory / "sbs")
        self._register = ActivityRegister(bus, history_length)
        self._oda_threads = DaemonPool("oet-scheduling-blocks", _ODA_THREADS)
        self.search = BlockSearch(self._blocks.opened, self._oda_threads)
        """Finds Scheduling Blocks."""
        # Jobs in this pool take milliseconds: no activity waits for another activity's ODA.
        self._errands = DaemonPool("oet-activities", 1)
        bus.subscribe(self._on_batch)
        if not is_new:
            self._errands.submit(self._remove_files)

    # Requests

    def check(self, cmd: ActivityCommand) -> None:
        """Check what can be checked without the Scheduling Block, and create nothing.

        :param cmd: what to run
        :raises ActivityRefusedError: if it is certain that this cannot be done
        :raises ArgumentsError: if it is for the subarray of another controller
        :raises InvalidIdentifierError: if the ID or the URI of the Scheduling Block is malformed
        """
        cmd.require_valid()
        for function, overrides in cmd.script_args.items():
            subarrays.require_own(
                function, overrides.kwargs.get(subarrays.PARAMETER), self.scripts.subarray_id
            )

    def prepare_run_activity(
        self, cmd: ActivityCommand, request_id: float | None = None, *, origin: Origin | None = None
    ) -> ActivitySummary:
        """Run an activity, in the background: get its Scheduling Block, prepare its script, start that.

        :param cmd: what to run
        :param request_id: ID of the request, for events; by default its time
        :param origin: origin of the request, instead of a `request_id`
        :raises ActivityRefusedError: if it is certain that this cannot be done; then no activity is created
        :raises ArgumentsError: if it is for the subarray of another controller; then none is created, either
        :raises InvalidIdentifierError: if the ID or the URI of the Scheduling Block is malformed
        :returns: summary of the new activity
        """
        self.check(cmd)
        if origin is None:
            origin = Origin() if request_id is None else Origin(request_id=request_id)
        activity_id = self._register.add(cmd, origin)
        self._do(self._oda_threads, activity_id, partial(self._resolve, activity_id, cmd))
        return self._committed(activity_id)

    def complete_run_activity(
        self, prepared_summary: ProcedureSummary, request_id: float
    ) -> ActivitySummary | None:
        """Return the summary of an activity, now that its procedure was created. See `attach_procedure`.

        :param prepared_summary: the procedure
        :param request_id: ID of the request to run the activity
        :returns: summary of the activity, None if the procedure was not created for one
        """
        activity_id = self._register.requested_by(request_id)
        if activity_id is not None:
            return self.attach_procedure(prepared_summary, activity_id)
        return next((known for known in self._register.listed() if known.pid == prepared_summary.id), None)

    def attach_procedure(
        self, prepared_summary: ProcedureSummary, activity_id: int
    ) -> ActivitySummary | None:
        """Attach the procedure that was created for an activity, and follow its states from now on.

        The procedure is started as soon as it is READY, unless the activity was to be prepared only.

        :param prepared_summary: the procedure
        :param activity_id: the activity
        :returns: summary of the activity; None if it has ended meanwhile: then the procedure is stopped
        """
        with self._register.changing(activity_id) as activity:
            if activity is not None:
                activity.procedure_id = prepared_summary.id
                # It may have changed state already, before it was attached.
                document = self.scripts.view.get(prepared_summary.id)
                if document is not None:
                    self._follow(activity, document.value)
        if activity is None:
            self._stop_procedure(prepared_summary.id)
            return None
        return self._committed(activity_id)

    def request_stop(self, activity_id: int, by: Requester | None = None, reason: str | None = None) -> None:
        """Begin to stop an activity and its procedure, if there is one. Returns at once.

        :param activity_id: the activity
        :param by: the requester
        :param reason: why, if no client has asked for that
        :raises ActivityNotFoundError: if it is not live
        """
        with self._register.changing(activity_id) as activity:
            if activity is None:
                raise ActivityNotFoundError(f"no activity with ID {activity_id} is live")
            if activity.procedure_id is None:
                activity.reason = reason
                activity.enter([(ActivityState.STOPPED, time.time())])
        if activity.procedure_id is not None:
            self._stop_procedure(activity.procedure_id, by, reason)

    def write_sbd_to_file(self, sbd: SBDefinition) -> str:
        """Write a Scheduling Block to a file, unless the same content is there already.

        The file is removed when no activity that is still listed needs it.

        :param sbd: the Scheduling Block
        :raises ActivityRefusedError: if it cannot be written
        :returns: path of the file
        """
        return str(self._files.write(sbd))

    # Looking

    def is_outdated(self, activity_id: int, cmd: ActivityCommand) -> bool:
        """Return whether a Scheduling Block has changed since then. May wait for the ODA.

        :param activity_id: the activity
        :param cmd: the request
        """
        with self._register.changing(activity_id) as activity:
            known = None if activity is None else activity.scheduling_block
        return known is not None and not cmd.names_version and self._blocks.has_changed(cmd.uri, known)

    @property
    def view(self) -> DocumentView:
        """The documents of activities."""
        return self._register.view

    def summary(self, activity_id: int) -> ActivitySummary:
        """Return the summary of an activity.

        :raises ActivityNotFoundError: if it does not exist, or is no longer kept
        """
        return self._register.summary(activity_id)

    def summarise(self, activity_ids: Iterable[int] | None = None) -> list[ActivitySummary]:
        """Return summaries of activities.

        :param activity_ids: which ones; None for all that are live and the newest that have ended
        :raises ActivityNotFoundError: if one of them does not exist, or is no longer kept
        """
        if activity_ids is None:
            return self._register.listed()
        return [self._register.summary(activity_id) for activity_id in activity_ids]

    def activity_of(self, procedure_id: int) -> int | None:
        """Return the ID of the live activity that a procedure belongs to, None if there is none."""
        return self._register.activity_of(procedure_id)

    def recall(self) -> None:
        """Load the records of previous servers from a journal that could not be read at the start.

        Does not wait for the bus.

        :raises JournalUnavailableError: if it still cannot be read
        """
        self._register.recall()

    # The end

    def close(self) -> None:
        """End the steps in progress. Activities that have a procedure end with that."""
        for summary in self._register.live():
            with self._register.changing(summary.id) as activity:
                if activity is not None and activity.procedure_id is None:
                    activity.reason = "The server was shut down before the script was prepared."
                    activity.enter([(ActivityState.STOPPED, time.time())])
        # Only now: failures that this causes must not be reported as the failures of activities.
        self._blocks.close()
        self.search.close()
        self._errands.close(_CLOSE_TIMEOUT)
        self._oda_threads.close(_CLOSE_TIMEOUT)
        self._own.close()

    # Steps, each in a thread of this service

    def _do(self, threads: DaemonPool, activity_id: int, step: Job) -> None:
        """Run a step in a thread; if it fails, the activity fails."""

        def attempt() -> None:
            try:
                step()
            except _EXPECTED as error:
                self._fail(activity_id, str(error))
            except Exception as error:
                LOGGER.exception("Activity %d failed", activity_id)
                self._fail(activity_id, f"The OET failed to run the activity: {error!r}. See its log.")

        threads.submit(attempt)

    def _resolve(self, activity_id: int, cmd: ActivityCommand) -> None:
        """Read the Scheduling Block and find the script and its arguments."""
        definition = self._blocks.load(cmd.uri)
        described = definition.activity(cmd.activity_name)
        script = to_script(described, cmd.create_env)
        sb_json = str(self._files.path_of(definition))
        signatures: subarrays.Signatures = {}
        with suppress(ScriptError):  # what is wrong with it is reported when it is prepared
            signatures = self.scripts.signatures(script)
        arguments = merge_arguments(described, cmd.script_args, sb_json, signatures)
        # First list it as needed, then write it: see `SbFiles.keep_only`.
        with self._register.changing(activity_id) as activity:
            if activity is None:
                return
            activity.sbd_id = definition.sbd_id
            activity.scheduling_block = definition
            activity.script_args = arguments
        self.write_sbd_to_file(definition)
        init = arguments.get("init", ProcedureInput())
        prepare = PrepareProcessCommand(script, init, arguments["main"], hold=cmd.hold)
        step = partial(self._prepare, activity_id, prepare, origin_of(activity))
        self._do(self._errands, activity_id, step)

    def _prepare(self, activity_id: int, cmd: PrepareProcessCommand, origin: Origin) -> None:
        if self._register.is_live(activity_id):
            self.attach_procedure(self.scripts.prepare(cmd, origin), activity_id)

    def _start(self, procedure_id: int, origin: Origin) -> None:
        try:
            # Without arguments it takes those that it was prepared with.
            self.scripts.start(StartProcessCommand(procedure_id, "main", ProcedureInput()), origin)
        except AnotherProcedureRunsError as error:
            raise ActivityRefusedError(
                f"the script was ready and could not be started: {error}, then run the activity again"
            ) from error
        except (StateForbidsError, ProcedureNotFoundError) as error:
            # Another client has started or stopped it: its documents show its state.
            LOGGER.info("Procedure %d is not started by its activity: %s", procedure_id, error)

    def _fail(self, activity_id: int, reason: str) -> None:
        with self._register.changing(activity_id) as activity:
            if activity is None:
                return
            # A reason may quote a file name that is not text: that must not hide the failure.
            activity.reason = reason.encode(errors="replace").decode()
            activity.enter([(ActivityState.FAILED, time.time())])
        if activity.procedure_id is not None:
            # No client would start it, and its process would wait forever.
            self._stop_procedure(activity.procedure_id)

    def _stop_procedure(
        self, procedure_id: int, by: Requester | None = None, reason: str | None = None
    ) -> None:
        cmd = StopProcessCommand(procedure_id, run_abort=False, reason=reason)
        with suppress(StateForbidsError, ProcedureNotFoundError):  # it may have ended by itself
            self.scripts.request_stop(cmd, Origin(SOURCE, requested_by=by))

    def _remove_files(self) -> None:
        """Remove Scheduling Blocks that no activity needs."""

        def needed() -> set[str]:
            live = self._register.live()
            # An activity that is no longer live is listed after this.
            self._bus.committed().result()
            return {summary.sb_json for summary in [*live, *self._register.listed()] if summary.sb_json}

        try:
            self._files.keep_only(needed)
        except OSError as error:
            LOGGER.warning("Scheduling Blocks that are no longer needed could not be removed: %s", error)

    # Following, in the thread of the bus

    def _on_batch(self, batch: Batch) -> None:
        for document in batch.documents:
            if document.kind == PROCEDURE:
                activity_id = self._register.activity_of(document.id)
                if activity_id is not None:
                    self._on_procedure(activity_id, document.value)
            elif document.kind == KIND and not document.live:
                self._errands.submit(self._remove_files)

    def _on_procedure(self, activity_id: int, procedure: ProcedureSummary) -> None:
        with self._register.changing(activity_id) as activity:
            if activity is not None:
                self._follow(activity, procedure)

    def _follow(self, activity: Activity, procedure: ProcedureSummary) -> None:
        """Update the state of an activity from that of its procedure."""
        entered = activity.enter(activity_states(procedure.history.process_states))
        if ActivityState.RUNNING in entered and activity.scheduling_block is not None:
            instance = SBInstance.of_activity(
                activity.scheduling_block, activity.activity_name, procedure.arguments
            )
            self._oda_threads.submit(partial(self._blocks.record, instance))
        if ActivityState.FAILED in entered or ActivityState.STOPPED in entered:
            activity.reason = procedure.failure_line
        elif entered == [ActivityState.PREPARED] and not activity.prepare_only:
            start = partial(self._start, procedure.id, origin_of(activity))
            self._do(self._errands, activity.activity_id, start)

    def _committed(self, activity_id: int) -> ActivitySummary:
        """Return the latest summary."""
        self._bus.committed().result()
        return self.summary(activity_id)
