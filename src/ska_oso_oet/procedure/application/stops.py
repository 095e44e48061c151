"""Stops of procedures, and the abort script that may follow."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.event.summaries import SummaryStore
from ska_oso_oet.journal import Document, JournalUnavailableError
from ska_oso_oet.model import ExecutableScript, ProcedureInput, ProcedureSummary

from ..domain.errors import ProcedureNotFoundError, ScriptError, StateForbidsError, StopWithdrawnError
from ..execution.manager import ProcessManager
from ..execution.procedure import ProcedurePlan
from . import request_events
from .admission import Admission
from .commands import Origin, PrepareProcessCommand, StopOutcome, Stopping, StopProcessCommand

LOGGER = logging.getLogger(__name__)


class Stops:
    """Stops procedures, and then runs the abort script.

    :param bus: where requests are announced
    :param manager: runs the procedures
    :param summaries: summaries of the procedures
    :param admission: checks the abort script
    :param abort_script: script that a stop may run afterwards
    :param create: creates a procedure
    """

    def __init__(
        self,
        bus: EventBus,
        manager: ProcessManager,
        summaries: SummaryStore[ProcedureSummary],
        admission: Admission,
        abort_script: ExecutableScript,
        create: Callable[[ProcedurePlan, Origin], int],
    ) -> None:
        self._bus = bus
        self._manager = manager
        self._summaries = summaries
        self._admission = admission
        self._abort_script = abort_script
        self._create = create

    def request(self, cmd: StopProcessCommand, origin: Origin) -> Stopping:
        """Begin to stop a procedure, and return at once; see `ScriptExecutionService.request_stop`.

        :param cmd: the procedure
        :param origin: origin of the request
        :raises ProcedureNotFoundError: if there is no such procedure
        :raises StateForbidsError: if it has ended already
        """
        summary = self._summaries.get(cmd.process_uid)
        if summary is None:
            raise ProcedureNotFoundError(f"No information available for PID={cmd.process_uid}")
        not_running = StateForbidsError(f"Cannot stop script with ID {summary.id}: Script is not running")
        if summary.state.is_final:
            raise not_running
        self._bus.publish(request_events.request("stop", origin, request_events.stop_fields(cmd)))
        abort_id, failure = self._prepare_abort(summary, origin) if cmd.run_abort else (None, None)
        outcome = Stopping()
        following = None
        try:
            following = self._stop(cmd, outcome, abort_id, origin)
        except ProcedureNotFoundError:  # it ended meanwhile
            raise not_running from None
        finally:
            if abort_id is not None and abort_id != following:
                # No procedure follows, or that of another stop does.
                self._discard_abort(abort_id, origin)
        # An abort script that has ended before it could follow is reported as one that followed and failed.
        outcome.abort_id = following or abort_id
        self._conclude(cmd, outcome, failure)
        return outcome

    def _stop(
        self, cmd: StopProcessCommand, outcome: Stopping, abort_id: int | None, origin: Origin
    ) -> int | None:
        """Begin the stop. Returns the ID of the procedure that follows."""
        origin = replace(origin, recorded_as="stopped_by")
        if not cmd.at_checkpoint:
            return self._manager.request_stop(cmd.process_uid, abort_id, origin, cmd.reason)

        def withdraw(reason: StopWithdrawnError) -> None:
            with suppress(InvalidStateError):
                outcome.set_exception(reason)

        return self._manager.request_stop_at_checkpoint(cmd.process_uid, withdraw, abort_id, origin)

    def _discard_abort(self, abort_id: int, origin: Origin) -> None:
        with suppress(ProcedureNotFoundError):  # it has ended by itself
            self._manager.request_stop(abort_id, origin=origin)

    def _prepare_abort(self, stopping: ProcedureSummary, origin: Origin) -> tuple[int | None, str | None]:
        """Prepare the abort script, so that it can follow at once. Returns its ID, or why there is none."""
        subarray = stopping.subarray_id
        if subarray is None:
            return None, None
        try:
            admitted = self._admission.examine(self._abort_script, trusted=True)
            takers = admitted.takers("subarray_id")
            init, main = (
                ProcedureInput(subarray_id=subarray) if function in takers else ProcedureInput()
                for function in ("init", "main")
            )
            admitted.require_main(self._abort_script.name)
            cmd = PrepareProcessCommand(self._abort_script, init, main)
            own = replace(origin, requested_by=None, queue_entry=None)
            return self._create(admitted.plan(cmd, subarray)._replace(urgent=True), own), None
        except (ScriptError, RuntimeError, OSError) as error:
            LOGGER.exception("The abort script cannot be run")
            return None, str(error)

    def _conclude(self, cmd: StopProcessCommand, outcome: Stopping, failure: str | None) -> None:
        """Conclude a stop when the procedure, and the one that follows it, have ended."""
        abort_id = outcome.abort_id
        stopped = self._summaries.ended(cmd.process_uid)

        def conclude(abort: "Future[Document] | None") -> None:
            # Not read again: with a short history, a journal with a fault may no longer have it.
            aborting = None if abort is None else abort.result().value
            with suppress(InvalidStateError):  # it was withdrawn
                outcome.set_result(StopOutcome(stopped.result().value, aborting, failure, cmd.run_abort))

        def follow(_: Any) -> None:
            if abort_id is None:
                conclude(None)
                return
            try:
                self._summaries.ended(abort_id).add_done_callback(conclude)
            except JournalUnavailableError as error:
                with suppress(InvalidStateError):
                    outcome.set_exception(error)

        stopped.add_done_callback(follow)
