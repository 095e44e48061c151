"""Messages between a script worker and the message loop.

Each is an EventMessage of one of the kinds below. Payloads are JSON.
"""

import os
from enum import StrEnum
from typing import Any

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage

DISCONNECTED_STATUS = os.EX_IOERR
"""Exit status of a worker whose connection to the server is closed."""

MAX_STACKTRACE = 64_000
"""Characters of a stack trace that are kept; see `abridged`."""

REFUSED_TOPIC = "user.script.refused"
"""Topic of the event that replaces an event of a script that cannot, or must not, be published."""


class FromWorker(StrEnum):
    """Kinds of messages that a worker sends."""

    LIFECYCLE = "LIFECYCLE"
    """The worker's state has changed:
    ``{"state", "stacktrace"?, "signatures"?, "facts"?, "environment"?, "request"?}``.
    With READY after init come the signatures of the functions that the script has then. Facts are fields of
    the summary: of the script's text when it is loaded, of its result when it is COMPLETE. With PAUSED comes
    the number of the newest HOLD, STEP or RELEASE that the worker has got."""
    PUBSUB = "PUBSUB"
    """The script has published an event: ``{"topic", "msg_src", "fields"}``."""
    CALL = "CALL"
    """Whether the arguments of a call fit: ``{"refusal"}``, which is null if they do. Then the call
    continues. Otherwise, nothing was called, and the script can be called again."""
    CHECKPOINT = "CHECKPOINT"
    """The script has reached a checkpoint: ``{"label", "number"}``; the label is null if it has none. Of many
    in a short time, the newest are sent; ``number`` counts all."""
    STOP_HERE = "STOP_HERE"
    """The script waits at the checkpoint where it is to be stopped: ``{"label"}``."""
    QUESTION = "QUESTION"
    """The script asks its operator: ``{"number", "question"}``. The question is null if the script no longer
    waits for the answer to the one with that number."""
    PONG = "PONG"
    """Answer to a PING."""


class ToWorker(StrEnum):
    """Kinds of messages that a worker receives."""

    ENVIRONMENT = "ENVIRONMENT"
    """Continue under an environment's interpreter: ``{"python"}``. The worker is IDLE when it runs there;
    messages that are sent to it before that may be lost."""
    LOAD = "LOAD"
    """Load a script, of limited size:
    ``{"script", "size_limit", "procedure_id", "directory", "environment", "arguments", "grace", "context"}``.
    The context has the values that operators have set for all scripts."""
    RUN = "RUN"
    """Call a function of the script: ``{"function", "args", "kwargs", "confirm"?}``. With ``confirm``, the
    answer is CALL, before anything that the script sends."""
    PUBSUB = "PUBSUB"
    """Publish an event in the script's process: ``{"topic", "fields"}``."""
    OPERATOR = "OPERATOR"
    """Deliver a message of an operator to the listeners of the script: ``{"topic", "fields"}``."""
    HOLD = "HOLD"
    """Wait at the next checkpoint: ``{"what", "request"}``, PAUSE or STOP, and the number of the request."""
    STEP = "STEP"
    """Continue to the next checkpoint, and wait there: ``{"request"}``."""
    RELEASE = "RELEASE"
    """Continue, and do not wait at checkpoints: ``{"request"}``."""
    ANSWER = "ANSWER"
    """End of a question: ``{"number", "answer", "refusal"?}``. Without an answer, its time has expired."""
    CONTEXT = "CONTEXT"
    """The context of all scripts, an object."""
    STOP = "STOP"
    """A stop has been requested: SIGTERM is sent with it, and is handled again where it had no effect."""
    PING = "PING"
    """Answer, to show that the process is alive."""


class LifecycleMessage(EventMessage):
    """A change of state of a script's process.

    :param msg_src: name of the worker
    :param new_state: the state it is in now
    :param details: ``stacktrace`` of a failure, ``signatures`` of the functions of a script that is READY
    """

    def __init__(self, msg_src: str, new_state: ProcedureState, **details: Any) -> None:
        super().__init__(msg_src, FromWorker.LIFECYCLE, {"state": new_state, **details})
