"""The states that procedures and activities pass through."""

from enum import StrEnum


class ProcedureState(StrEnum):
    """State of the process that runs a script. The order is that of the device's DevEnum labels."""

    UNKNOWN = "UNKNOWN"
    """Its server died while it lived: how it ended is not known."""
    CREATING = "CREATING"
    """A process for the script is being made ready."""
    IDLE = "IDLE"
    """Between two steps of preparation."""
    PREP_ENV = "PREP_ENV"
    """The Python environment of a git script is being built or looked up."""
    LOADING = "LOADING"
    """The script's module is being imported."""
    READY = "READY"
    """``init`` has run: ``main`` can be started."""
    RUNNING = "RUNNING"
    """``init`` or ``main`` is executing."""
    STOPPED = "STOPPED"
    """Ended by request before it could complete."""
    COMPLETE = "COMPLETE"
    """``main`` returned."""
    FAILED = "FAILED"
    """An exception, or the sudden end of the process, ended the script."""
    PAUSED = "PAUSED"
    """``init`` or ``main`` waits at a checkpoint until it is resumed."""

    @property
    def is_executing(self) -> bool:
        """Whether a function of the script has been called and has not returned."""
        return self in (ProcedureState.RUNNING, ProcedureState.PAUSED)

    @property
    def is_final(self) -> bool:
        """Whether a procedure in this state can never change again."""
        return self in _FINAL_PROCEDURE_STATES


_FINAL_PROCEDURE_STATES = frozenset(
    {ProcedureState.UNKNOWN, ProcedureState.STOPPED, ProcedureState.COMPLETE, ProcedureState.FAILED}
)


class ActivityState(StrEnum):
    """State of an activity of a Scheduling Block."""

    REQUESTED = "REQUESTED"
    """Accepted; its script is being prepared."""
    PREPARED = "PREPARED"
    """Its script is READY."""
    RUNNING = "RUNNING"
    """Its script runs ``main``."""
    COMPLETE = "COMPLETE"
    """``main`` returned."""
    FAILED = "FAILED"
    """It could not be prepared or started, or its script failed."""
    STOPPED = "STOPPED"
    """Its script was stopped by request."""

    @property
    def is_final(self) -> bool:
        """Whether an activity in this state can never change again."""
        return self in {ActivityState.COMPLETE, ActivityState.FAILED, ActivityState.STOPPED}
