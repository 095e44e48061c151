"""Checks of the events of scripts: none of the OET's, and none in the name of another component."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..worker.messages import REFUSED_TOPIC

CONTROLLER_TOPICS = frozenset({"activity", "controller", "operator", "procedure", "queue", "request"})
"""First parts of the topics that the controller alone publishes on."""

COMPONENTS = frozenset({"ActivityService", "OETController", "ScriptExecutionService"})
"""Sources of the events of the OET, in addition to the IDs of procedures."""


class ScriptEvent(NamedTuple):
    """An event of a script.

    :param topic: its topic
    :param msg_src: its source: the ID of the procedure, or a name that the script has chosen
    :param fields: its data
    """

    topic: str
    msg_src: str
    fields: dict[str, Any]


def checked(procedure_id: int, event: Mapping[str, Any]) -> ScriptEvent:
    """Return an event of a script, or the refusal that is published in its place.

    :param procedure_id: ID of the procedure that publishes it
    :param event: ``topic``, ``msg_src`` and ``fields`` of the event
    """
    own = str(procedure_id)
    topic, msg_src = event["topic"], event["msg_src"]
    if (reason := _refusal(own, topic, msg_src)) is None:
        return ScriptEvent(topic, msg_src, event["fields"])
    return ScriptEvent(REFUSED_TOPIC, own, {"refused_topic": topic, "msg": reason})


def _refusal(own: str, topic: str, msg_src: str) -> str | None:
    """Return why a script may not publish an event, None if it may."""
    root = topic.partition(".")[0]
    if root in CONTROLLER_TOPICS:
        return (
            f"A script must not publish on {topic}: only the controller publishes on topics below {root}. "
            "Publish on a topic below user, scan, sb or subarray, or on one of your own."
        )
    if msg_src != own and (msg_src in COMPONENTS or _is_number(msg_src)):
        who = "a component of the OET" if msg_src in COMPONENTS else "the ID of another procedure"
        return (
            f"A script must not publish as msg_src {msg_src}, which is {who}: leave msg_src out, "
            f"which means this procedure ({own}), or give a name of your own."
        )
    return None


def _is_number(text: str) -> bool:
    """Whether clients may read a text as the ID of a procedure."""
    try:
        int(text)
    except ValueError:
        return False
    return True
