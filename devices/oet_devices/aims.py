"""What the long-running commands of the controller are to achieve, told from summaries."""

from typing import Any

from ska_oso_oet.model import ActivityState, ProcedureState

from .document_commands import End, How


def procedure_ready(summary: dict[str, Any]) -> End | None:
    """Prepare a script: Create."""
    passed = [state for state, _ in summary["history"]["process_states"]]
    # It may have gone on since then: documents tell the newest state only.
    if ProcedureState.READY in passed:
        return End(How.COMPLETED, summary)
    return _procedure_end(summary)


def procedure_complete(summary: dict[str, Any]) -> End | None:
    """Run ``main``: Start."""
    if summary["state"] == ProcedureState.COMPLETE:
        return End(How.COMPLETED, summary)
    return _procedure_end(summary)


def _procedure_end(summary: dict[str, Any]) -> End | None:
    state = ProcedureState(summary["state"])
    if not state.is_final:
        return None
    if state is ProcedureState.STOPPED:
        return End(How.ABORTED, f"Procedure {summary['id']} was stopped.")
    return End(How.FAILED, summary["history"]["stacktrace"] or f"Procedure {summary['id']} is {state}.")


def activity_prepared(summary: dict[str, Any]) -> End | None:
    """Prepare the script of an activity: RunActivity with prepare_only."""
    if ActivityState.PREPARED in [state for state, _ in summary["activity_states"]]:
        return End(How.COMPLETED, summary)
    return activity_complete(summary)


def activity_complete(summary: dict[str, Any]) -> End | None:
    """Run an activity: RunActivity."""
    state = ActivityState(summary["state"])
    if not state.is_final:
        return None
    if state is ActivityState.COMPLETE:
        return End(How.COMPLETED, summary)
    if state is ActivityState.STOPPED:
        return End(How.ABORTED, summary["reason"] or f"Activity {summary['id']} was stopped.")
    return End(How.FAILED, summary["reason"] or f"Activity {summary['id']} has failed.")
