"""What a script worker and its manager say to each other.

Everything is an EventMessage; the kinds are those below. Payloads are JSON.
"""

import os
from enum import StrEnum
from typing import Any

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage

DISCONNECTED_STATUS = os.EX_IOERR
"""Exit status of a worker that can no longer reach its manager."""

MAX_STACKTRACE = 64_000
"""Characters of a stack trace that are kept: its end, which says what happened."""


class FromWorker(StrEnum):
    """Kinds of messages that a worker sends."""

    LIFECYCLE = "LIFECYCLE"
    """Its state has changed: ``{"state", "stacktrace"?, "signatures"?}``."""
    PUBSUB = "PUBSUB"
    """Its script has published: ``{"topic", "msg_src", "fields"}``."""
    PONG = "PONG"
    """Answer to a PING."""
    PROGRESS = "PROGRESS"
    """How far a preparation has come: a text."""
    RESULT = "RESULT"
    """A preparation is complete: what came out."""
    FAILURE = "FAILURE"
    """A preparation has failed: the reason, a text."""


class ToWorker(StrEnum):
    """Kinds of messages that a worker receives."""

    ENVIRONMENT = "ENVIRONMENT"
    """Go on under an environment's interpreter: ``{"python"}``. The worker is IDLE when it has arrived there;
    what is sent to it before may be lost."""
    LOAD = "LOAD"
    """Load a script: ``{"script", "path"?, "procedure_id", "directory", "environment"}``."""
    RUN = "RUN"
    """Call a function of the script: ``{"function", "args", "kwargs"}``."""
    PUBSUB = "PUBSUB"
    """Publish to the script: ``{"topic", "fields"}``."""
    PING = "PING"
    """Answer, to show that the process is alive."""


class LifecycleMessage(EventMessage):
    """A change of state of a script's process.

    :param msg_src: name of the worker
    :param new_state: the state it is in now
    :param details: ``stacktrace`` of a failure, ``signatures`` of the functions of a loaded script
    """

    def __init__(self, msg_src: str, new_state: ProcedureState, **details: Any) -> None:
        super().__init__(msg_src, FromWorker.LIFECYCLE, {"state": new_state, **details})
