"""The service that prepares, starts, stops and describes scripts."""

from ska_oso_oet.model import ArgCapture, ProcedureHistory, ProcedureSummary

from ..execution.procedure import Hold
from .commands import (
    Origin,
    PrepareProcessCommand,
    StartProcessCommand,
    StopOutcome,
    Stopping,
    StopProcessCommand,
)
from .service import ScriptExecutionService

__all__ = [
    "ArgCapture",
    "Hold",
    "Origin",
    "PrepareProcessCommand",
    "ProcedureHistory",
    "ProcedureSummary",
    "ScriptExecutionService",
    "StartProcessCommand",
    "StopOutcome",
    "StopProcessCommand",
    "Stopping",
]
