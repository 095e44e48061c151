"""Entities of script execution: scripts, the processes that run them, and their supervisor."""

from ska_oso_oet.model import ProcedureState

from .errors import (
    AnotherRuns,
    ArgumentsDoNotFit,
    ProcedureNotFound,
    ScriptDefective,
    ScriptError,
    ScriptNotAllowed,
    ScriptNotFound,
    StateForbids,
)
from .loader import ModuleFactory
from .manager import ProcessManager
from .observer import ProcedureObserver
from .protocol import LifecycleMessage
from .scripts import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
)
from .settings import ExecutorSettings
from .worker import ScriptWorker, script_signal_handler

__all__ = [
    "AnotherRuns",
    "ArgumentsDoNotFit",
    "EmbeddedStringScript",
    "ExecutableScript",
    "ExecutorSettings",
    "FileSystemScript",
    "GitScript",
    "LifecycleMessage",
    "ModuleFactory",
    "ProcedureInput",
    "ProcedureNotFound",
    "ProcedureObserver",
    "ProcedureState",
    "ProcessManager",
    "ScriptDefective",
    "ScriptError",
    "ScriptNotAllowed",
    "ScriptNotFound",
    "ScriptWorker",
    "StateForbids",
    "script_signal_handler",
]
