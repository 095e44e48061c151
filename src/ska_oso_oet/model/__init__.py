"""The JSON that crosses any border of the OET, once, as typed models.

States, requests and summaries are defined here and nowhere else. The device server, the sidecar,
the Tango client and the ``oet`` command read and write these models; none of them builds such
JSON by hand.
"""

from .activities import Activity, ActivityRequest
from .base import FunctionArgs, Model, ScriptArgs
from .events import Event
from .procedures import GitArgs, History, Procedure, ProcedureRequest, Script
from .queries import EVENTS_IN_ANSWER, EventQuery, Output, OutputQuery, StartRequest, StopRequest
from .states import ActivityState, ProcedureState

__all__ = [
    "EVENTS_IN_ANSWER",
    "Activity",
    "ActivityRequest",
    "ActivityState",
    "Event",
    "EventQuery",
    "FunctionArgs",
    "GitArgs",
    "History",
    "Model",
    "Output",
    "OutputQuery",
    "Procedure",
    "ProcedureRequest",
    "ProcedureState",
    "Script",
    "ScriptArgs",
    "StartRequest",
    "StopRequest",
]
