"""Entities of script execution: scripts, their signatures, the places they come from, errors.

The classes that run scripts have packages of their own, `worker` and `execution`; their documented names
can be imported from here too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ska_oso_oet.model import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    GitScript,
    ProcedureInput,
    ProcedureState,
)

from .errors import (
    AnotherProcedureRunsError,
    ArgumentsError,
    NotKeptError,
    OutputNotKeptError,
    ProcedureFileNotFoundError,
    ProcedureNotFoundError,
    QuestionClosedError,
    QuestionNotFoundError,
    ScriptDefectiveError,
    ScriptError,
    ScriptNotAllowedError,
    ScriptNotAtHandError,
    ScriptNotFoundError,
    StateForbidsError,
    StopWithdrawnError,
)
from .settings import ExecutorSettings

if TYPE_CHECKING:
    from ..execution.manager import ProcessManager
    from ..worker.loader import ModuleFactory
    from ..worker.messages import LifecycleMessage
    from ..worker.script_worker import ScriptWorker
    from ..worker.stopping import script_signal_handler

__all__ = [
    "AnotherProcedureRunsError",
    "ArgumentsError",
    "EmbeddedStringScript",
    "ExecutableScript",
    "ExecutorSettings",
    "FileSystemScript",
    "GitScript",
    "LifecycleMessage",
    "ModuleFactory",
    "NotKeptError",
    "OutputNotKeptError",
    "ProcedureFileNotFoundError",
    "ProcedureInput",
    "ProcedureNotFoundError",
    "ProcedureState",
    "ProcessManager",
    "QuestionClosedError",
    "QuestionNotFoundError",
    "ScriptDefectiveError",
    "ScriptError",
    "ScriptNotAllowedError",
    "ScriptNotAtHandError",
    "ScriptNotFoundError",
    "ScriptWorker",
    "StateForbidsError",
    "StopWithdrawnError",
    "script_signal_handler",
]

_ELSEWHERE = {
    "LifecycleMessage": "..worker.messages",
    "ModuleFactory": "..worker.loader",
    "ProcessManager": "..execution.manager",
    "ScriptWorker": "..worker.script_worker",
    "script_signal_handler": "..worker.stopping",
}


def __getattr__(name: str) -> Any:
    """Import a documented name from the package where it is defined, when it is asked for.

    :raises AttributeError: if there is no such name
    """
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_ELSEWHERE[name], __name__), name)
