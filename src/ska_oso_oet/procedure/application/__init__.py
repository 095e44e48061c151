"""The service by which scripts are prepared, started, stopped and looked at."""

from .commands import (
    Origin,
    PrepareProcessCommand,
    StartProcessCommand,
    StopOutcome,
    Stopping,
    StopProcessCommand,
)
from .service import ScriptExecutionService
from .summary import ArgCapture, ProcedureHistory, ProcedureSummary

__all__ = [
    "ArgCapture",
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
