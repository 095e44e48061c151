"""The order of states that a history must obey, and the events that it must have."""

from collections.abc import Sequence
from itertools import pairwise

_PATHS = (
    ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY", "RUNNING", "READY", "COMPLETE"],
    ["CREATING", "IDLE", "LOADING", "IDLE", "READY", "RUNNING", "READY", "COMPLETE"],
)
_EARLY_ENDS = frozenset({"STOPPED", "FAILED"})


def breach(history: Sequence[str], reported: Sequence[str], topics: Sequence[str]) -> str | None:
    """Return the fault in the history of a procedure, None if there is none.

    :param history: its states, from its summary
    :param reported: its states, from the events
    :param topics: topics of its lifecycle events
    """
    if list(history) != list(reported):
        return f"events reported {' '.join(reported)}, the summary {' '.join(history)}"
    if not is_whole(history):
        return f"no order of states: {' '.join(history)}"
    end = history[-1].lower()
    ends = [topic for topic in topics if topic.rpartition(".")[2] in ("complete", "failed", "stopped")]
    if ends != [f"procedure.lifecycle.{end}"]:
        return f"ended {end}, and reported {ends}"
    if list(topics).count("procedure.lifecycle.created") != 1:
        return f"its creation was published in {' '.join(topics)}"
    if list(topics).count("procedure.lifecycle.started") != without_pauses(history).count("RUNNING"):
        return f"the starts of {' '.join(history)} were published in {' '.join(topics)}"
    pauses = list(history).count("PAUSED")
    resumed = sum(pair == ("PAUSED", "RUNNING") for pair in pairwise(history))
    told_pauses = [list(topics).count(f"procedure.lifecycle.{word}") for word in ("paused", "resumed")]
    if told_pauses != [pauses, resumed]:
        return f"the pauses of {' '.join(history)} were published in {' '.join(topics)}"
    return None


def without_pauses(history: Sequence[str]) -> list[str]:
    """Return states as they would be if the procedure had never paused."""
    kept: list[str] = []
    before = ""
    for state in history:
        if state != "PAUSED" and (before, state) != ("PAUSED", "RUNNING"):
            kept.append(state)
        before = state
    return kept


def is_whole(history: Sequence[str]) -> bool:
    """Return whether states are those of a procedure that has ended, in their order."""
    *body, end = history = without_pauses(history)
    if end in _EARLY_ENDS:
        return any(len(body) >= 1 and path[: len(body)] == body for path in _PATHS)
    return any(list(history) == path for path in _PATHS)
