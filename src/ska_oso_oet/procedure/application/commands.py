"""What can be asked of the service."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from ska_oso_oet.event.bus import Announcement

from ..domain import ExecutableScript, ProcedureInput
from .summary import ProcedureSummary


@dataclass(frozen=True)
class Origin:
    """Where a request comes from.

    :param msg_src: component that makes it; the source of its events
    :param request_id: carried by all events that it causes; its time, seconds since 1970
    :param name_command: gives the ID of the long-running command that it is, for the ID of the procedure
    :param announcement: its event, to be published as soon as the request has been granted
    """

    msg_src: str = "ScriptExecutionService"
    request_id: float = field(default_factory=time.time)
    name_command: Callable[[int], str] | None = None
    announcement: Announcement | None = None


@dataclass(frozen=True)
class PrepareProcessCommand:
    """Load a script and call its ``init``.

    :param script: what to run
    :param init_args: arguments of ``init``
    :param main_args: arguments of ``main``, for a start that gives none
    """

    script: ExecutableScript
    init_args: ProcedureInput
    main_args: ProcedureInput | None = None


@dataclass(frozen=True)
class StartProcessCommand:
    """Call a function of a script that has been prepared.

    :param process_uid: ID of the procedure
    :param fn_name: name of the function
    :param run_args: its arguments
    :param force_start: accept a procedure that is not READY yet
    """

    process_uid: int
    fn_name: str
    run_args: ProcedureInput
    force_start: bool = False


@dataclass(frozen=True)
class StopProcessCommand:
    """Stop a procedure.

    :param process_uid: ID of the procedure
    :param run_abort: whether to run the abort script once it has stopped
    """

    process_uid: int
    run_abort: bool


@dataclass(frozen=True)
class StopOutcome:
    """How a stop went.

    :param stopped: the procedure that was stopped
    :param abort: the procedure that ran the abort script, if there was one
    :param abort_failure: why the abort script did not do its work, None if it did or was not asked for
    """

    stopped: ProcedureSummary
    abort: ProcedureSummary | None = None
    abort_failure: str | None = None

    @property
    def message(self) -> str:
        """What to tell an operator."""
        told = f"Successfully stopped script with ID {self.stopped.id}"
        if self.abort_failure is not None:
            return f"{told}, but subarray activity was not aborted: {self.abort_failure}"
        return f"{told} and aborted subarray activity" if self.abort is not None else told


class Stopping(Future[StopOutcome]):
    """A stop that goes on.

    :param abort_id: the procedure that runs the abort script afterwards, None if there is none
    """

    def __init__(self, abort_id: int | None) -> None:
        super().__init__()
        self.abort_id = abort_id
