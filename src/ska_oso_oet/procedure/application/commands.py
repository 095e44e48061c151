"""Requests to the script execution service."""

import inspect
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ska_oso_oet.event.bus import Announcement
from ska_oso_oet.model import ExecutableScript, ProcedureInput, ProcedureState, ProcedureSummary, Requester
from ska_oso_oet.traces import TraceParent

from ..domain.signatures import override
from ..execution.procedure import Hold


@dataclass(frozen=True)
class Origin:
    """Origin of a request.

    :param msg_src: component that makes it; the source of its events
    :param request_id: carried by all events that it causes; its time, seconds since 1970
    :param name_command: gives the ID of the long-running command that it is, for the ID of the procedure
    :param announcement: its event, to be published as soon as the request has been granted
    :param requested_by: who makes it, None if the OET does by itself
    :param queue_entry: the entry of the observing queue that it is made for, None if a client makes it
    :param recorded_as: field of the procedure's summary that records the requester, in addition to its event
    """

    msg_src: str = "ScriptExecutionService"
    request_id: float = field(default_factory=time.time)
    name_command: Callable[[int], str] | None = None
    announcement: Announcement | None = None
    requested_by: Requester | None = None
    queue_entry: int | None = None
    recorded_as: Literal["started_by", "stopped_by"] | None = None

    def requested_by_json(self) -> dict[str, Any] | None:
        """Return who makes the request, as events have it; None if the OET does by itself."""
        return None if self.requested_by is None else self.requested_by.model_dump()

    @property
    def trace(self) -> TraceParent | None:
        """Place of the request in its trace, None if it has none."""
        return None if self.requested_by is None else TraceParent.read(self.requested_by.traceparent)


@dataclass(frozen=True)
class PrepareProcessCommand:
    """Load a script and call its ``init``.

    :param script: what to run
    :param init_args: arguments of ``init``
    :param main_args: arguments of ``main``, for a start that gives none
    :param overrides: arguments that replace some of these, by function
    :param hold: the steps that wait until a start releases the procedure
    """

    script: ExecutableScript
    init_args: ProcedureInput
    main_args: ProcedureInput | None = None
    overrides: Mapping[str, ProcedureInput] = field(default_factory=dict)
    hold: Hold = Hold.NOTHING

    def overridden(self, signature: Callable[[str], inspect.Signature | None]) -> "PrepareProcessCommand":
        """Return the same, with its overrides applied.

        Overrides are left only for functions of which the signature is not known: there an argument by name
        may replace one by position, which is known when the script is loaded.

        :param signature: returns the signature of a function, None if that is not known
        """
        changed = {
            function: override(signature(function), given or ProcedureInput(), self.overrides[function])
            for function, given in (("init", self.init_args), ("main", self.main_args))
            if function in self.overrides
        }
        return replace(
            self,
            init_args=changed.get("init", self.init_args),
            main_args=changed.get("main", self.main_args),
            overrides={name: given for name, given in self.overrides.items() if signature(name) is None},
        )


@dataclass(frozen=True)
class StartProcessCommand:
    """Call a function of a script that has been prepared.

    :param process_uid: ID of the procedure
    :param fn_name: name of the function
    :param run_args: its arguments
    :param force_start: accept a procedure that is not READY yet
    :param release: accept a procedure that is held
    """

    process_uid: int
    fn_name: str
    run_args: ProcedureInput
    force_start: bool = False
    release: bool = False


@dataclass(frozen=True)
class StopProcessCommand:
    """Stop a procedure.

    :param process_uid: ID of the procedure
    :param run_abort: whether to run the abort script once it has stopped
    :param at_checkpoint: whether to let it continue to its next checkpoint
    :param reason: why, if no client has asked for that
    """

    process_uid: int
    run_abort: bool
    at_checkpoint: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class StopOutcome:
    """Result of a stop.

    :param stopped: the procedure that was stopped
    :param abort: the procedure that ran the abort script, if there was one
    :param preparation_failure: why the abort script could not be run, None if it could or was not needed
    :param abort_requested: whether Abort was asked for
    """

    stopped: ProcedureSummary
    abort: ProcedureSummary | None = None
    preparation_failure: str | None = None
    abort_requested: bool = False

    @property
    def aborted_subarray(self) -> int | None:
        """The subarray that Abort was sent to, None if it was not sent."""
        is_complete = self.abort is not None and self.abort.state is ProcedureState.COMPLETE
        return self.abort.subarray_id if self.abort is not None and is_complete else None

    @property
    def abort_failure(self) -> str | None:
        """Why the subarray was not aborted, None if it was, or that was not asked for."""
        if self.abort is not None and self.abort.state is not ProcedureState.COMPLETE:
            reason = self.abort.failure_line or ""
            return f"the abort script (procedure {self.abort.id}) ended {self.abort.state} {reason}".rstrip()
        if self.abort is not None or not self.abort_requested:
            return None
        return self.preparation_failure or f"it is not known which subarray {_name(self.stopped)} used"

    @property
    def message(self) -> str:
        """Description of the result, for an operator."""
        stopped = f"Successfully stopped script with ID {self.stopped.id}"
        if (failure := self.abort_failure) is None:
            return f"{stopped} and aborted subarray activity" if self.abort is not None else stopped
        if self.abort is not None:
            return f"{stopped}, but subarray activity was not aborted: {failure}"
        subarray = self.stopped.subarray_id
        which = "the subarray" if subarray is None else f"subarray {subarray}"
        return f"{stopped}. Abort was not sent: {failure.rstrip('.')}. Send Abort to {which} yourself."


def _name(procedure: ProcedureSummary) -> str:
    return "the script" if procedure.script.uri is None else procedure.script.name


class Stopping(Future[StopOutcome]):
    """A stop in progress. A stop at a checkpoint may end with a `StopWithdrawnError`.

    :ivar abort_id: the procedure that runs the abort script afterwards, None if there is none
    """

    def __init__(self) -> None:
        super().__init__()
        self.abort_id: int | None = None
