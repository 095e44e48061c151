"""Reasons of ``DevFailed``: their exceptions, and the reasons of each command."""

from ska_oso_oet.activity.domain import ActivityNotFoundError
from ska_oso_oet.journal import EventsNoLongerKeptError, JournalUnavailableError
from ska_oso_oet.model import AnswerError
from ska_oso_oet.procedure.domain import (
    ArgumentsError,
    NotKeptError,
    OutputNotKeptError,
    ProcedureFileNotFoundError,
    ProcedureNotFoundError,
    QuestionClosedError,
    QuestionNotFoundError,
    ScriptDefectiveError,
    ScriptNotAllowedError,
    ScriptNotAtHandError,
    ScriptNotFoundError,
    StateForbidsError,
)
from ska_oso_oet.queue import QueueEntryBegunError, QueueEntryNotFoundError

NOT_AVAILABLE = "OET_NotAvailable"
"""Reason of a request to a controller that cannot execute scripts because of a fault."""

NOT_ALLOWED = "API_CommandNotAllowed"
"""Tango's reason of a command that the state of the device forbids."""

REASONS: dict[type[Exception], str] = {
    ProcedureNotFoundError: "OET_ProcedureNotFound",
    OutputNotKeptError: "OET_OutputNotKept",
    NotKeptError: "OET_NotKept",
    ProcedureFileNotFoundError: "OET_FileNotFound",
    ActivityNotFoundError: "OET_ActivityNotFound",
    QueueEntryNotFoundError: "OET_QueueEntryNotFound",
    QueueEntryBegunError: "OET_QueueEntryBegun",
    ScriptNotFoundError: "OET_ScriptNotFound",
    ScriptNotAllowedError: "OET_ScriptNotAllowed",
    ScriptNotAtHandError: "OET_ScriptNotAtHand",
    ScriptDefectiveError: "OET_ScriptDefective",
    ArgumentsError: "OET_ArgumentsDoNotFit",
    EventsNoLongerKeptError: "OET_EventsNoLongerKept",
    JournalUnavailableError: "OET_JournalUnavailable",
    QuestionNotFoundError: "OET_QuestionNotFound",
    QuestionClosedError: "OET_QuestionClosed",
    AnswerError: "OET_AnswerDoesNotFit",
    StateForbidsError: "OET_StateForbids",
    ValueError: "OET_InvalidArgument",
}
"""Reasons by exception; the first that fits."""

_SCRIPT = (ScriptNotFoundError, ScriptNotAllowedError, ScriptDefectiveError, ArgumentsError)
_PROCEDURE = (ValueError, ProcedureNotFoundError, JournalUnavailableError)
_ENTRY = (ValueError, QueueEntryNotFoundError, QueueEntryBegunError)

RAISED_BY: dict[str, tuple[type[Exception], ...]] = {
    "Create": (ValueError, *_SCRIPT),
    "Rerun": (*_PROCEDURE, *_SCRIPT),
    "Start": (*_PROCEDURE, ArgumentsError),
    "Stop": (ValueError, ProcedureNotFoundError),
    "RunActivity": (ValueError,),
    "ExamineScript": (ValueError, ScriptNotFoundError, ScriptNotAllowedError, ScriptDefectiveError),
    "FindSchedulingBlocks": (ValueError,),
    "DescribeProcedure": (ProcedureNotFoundError, JournalUnavailableError),
    "DescribeActivity": (ActivityNotFoundError, JournalUnavailableError),
    "DescribeScript": (
        ValueError,
        ScriptNotFoundError,
        ScriptNotAllowedError,
        ScriptNotAtHandError,
        ScriptDefectiveError,
    ),
    "GetEvents": (ValueError, EventsNoLongerKeptError, JournalUnavailableError),
    "GetProcedures": (ValueError, JournalUnavailableError),
    "GetOutput": (*_PROCEDURE, OutputNotKeptError),
    "GetFiles": _PROCEDURE,
    "GetFile": (*_PROCEDURE, ProcedureFileNotFoundError, NotKeptError),
    "GetEnvironment": (*_PROCEDURE, NotKeptError),
    "GetQueue": (ValueError, QueueEntryNotFoundError),
    "DescribeQueueEntry": (QueueEntryNotFoundError, JournalUnavailableError),
    "QueueAdd": (*_ENTRY, *_SCRIPT),
    "QueueMove": _ENTRY,
    "QueueUpdate": (*_ENTRY, *_SCRIPT),
    "QueueRemove": _ENTRY,
    "QueueClear": (ValueError,),
    "QueueStart": (ValueError,),
    "QueueStop": (ValueError,),
    "Pause": (ValueError, ProcedureNotFoundError, StateForbidsError),
    "Resume": (ValueError, ProcedureNotFoundError, StateForbidsError),
    "Step": (ValueError, ProcedureNotFoundError, StateForbidsError),
    "Answer": (ValueError, QuestionNotFoundError, QuestionClosedError, AnswerError),
    "SendToScript": (ValueError, ProcedureNotFoundError, StateForbidsError),
}
"""Exceptions of the commands of a controller, by name, in addition to `NOT_AVAILABLE`.

StateForbidsError is not named for commands that are answered with REJECTED.
"""

OTHER_REASONS: dict[str, tuple[str, ...]] = {
    "On": (NOT_ALLOWED,),
    "Off": (NOT_ALLOWED,),
    "Standby": (NOT_ALLOWED,),
    "Reset": (NOT_ALLOWED,),
    "QueueStart": (NOT_ALLOWED,),
    "DebugDevice": ("SKA_NoDebugger",),
    "scriptContext": (REASONS[ValueError],),
    "loggingTargets": ("SKA_InvalidLoggingTarget",),
    "procedures": (NOT_AVAILABLE,),
    "activities": (NOT_AVAILABLE,),
    "queue": (NOT_AVAILABLE,),
}
"""Reasons without an exception, and reasons of attributes, by the name of command or attribute."""
