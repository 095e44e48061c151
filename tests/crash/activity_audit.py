"""Compares what clients have seen of activities with what the next server remembers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.support.controller_site import Controller

from ska_oso_oet.model import ActivityState, ProcedureState

from .sightings import Sightings, Verb

_STATE_CHANGE: Final = "activity.lifecycle.statechange"
_REQUESTED: Final = "activity.lifecycle.running"

_ENDS: Final = {
    ProcedureState.COMPLETE: ActivityState.COMPLETE,
    ProcedureState.STOPPED: ActivityState.STOPPED,
    ProcedureState.FAILED: ActivityState.FAILED,
    ProcedureState.UNKNOWN: ActivityState.FAILED,
}


class ActivityAudit:
    """Audit of the activities that a new server has from the previous one.

    :param controller: the server
    :param events: those that were published since the last audit
    :param procedures: summaries of the procedures that were created since then, by ID
    :param last_id: ID of the newest activity that the last audit has found
    """

    def __init__(
        self,
        controller: Controller,
        events: Sequence[dict[str, Any]],
        procedures: Mapping[int, dict[str, Any]],
        last_id: int,
    ) -> None:
        self._controller = controller
        self._procedures = procedures
        self._past_id = last_id
        self._events = events
        self._ids = [event["result"]["id"] for event in events if event["topic"] == _REQUESTED]
        self._summaries = {activity_id: self._describe(activity_id) for activity_id in self._ids}

    @property
    def last_id(self) -> int:
        """ID of the newest activity."""
        return max(self._ids, default=self._past_id)

    @property
    def count(self) -> int:
        """How many activities were requested."""
        return len(self._ids)

    def _describe(self, activity_id: int) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self._controller.proxy.DescribeActivity(activity_id))
        return summary

    def findings(self, sightings: Sightings) -> Iterator[str]:
        """Return what should not be, in sentences.

        :param sightings: what clients have seen of the server before
        """
        if self._ids != list(range(self._past_id + 1, self._past_id + 1 + len(self._ids))):
            yield f"after activity {self._past_id}, these were requested: {self._ids}"
        yield from sightings.forgotten(Verb.RUN, self._summaries)
        for activity_id, seen in sightings.activities.items():
            remembered = self._summaries.get(activity_id) or self._describe(activity_id)
            for summary in seen:
                if not _follows(remembered, summary):
                    yield f"activity {activity_id} was seen as {summary}, but is {remembered}"
        for activity_id, summary in self._summaries.items():
            yield from self._check_history(activity_id, summary)
            yield from self._check_procedure(activity_id, summary)

    def _check_history(self, activity_id: int, summary: dict[str, Any]) -> Iterator[str]:
        states = [state for state, _ in summary["activity_states"]]
        announced = [
            event["new_state"]
            for event in self._events
            if event["topic"] == _STATE_CHANGE and event["activity_id"] == activity_id
        ]
        if states != announced or summary["state"] != states[-1]:
            yield f"activity {activity_id} has the states {states}, but announced {announced}"
        final = [ActivityState(state).is_final for state in states]
        if final != [False] * (len(states) - 1) + [True]:
            yield f"activity {activity_id} has passed through {states}"
        if summary["state"] == ActivityState.FAILED and not summary["reason"]:
            yield f"activity {activity_id} has failed without a reason"

    def _check_procedure(self, activity_id: int, summary: dict[str, Any]) -> Iterator[str]:
        """Check that an activity agrees with its procedure."""
        procedure = self._procedures.get(summary["procedure_id"])
        if procedure is None:
            return
        if procedure["command_id"] != summary["command_id"]:
            yield f"activity {activity_id} has the procedure {procedure}, but is {summary}"
        could_not_start = summary["state"] == ActivityState.FAILED and procedure["state"] == "STOPPED"
        if summary["state"] != _ENDS[ProcedureState(procedure["state"])] and not could_not_start:
            yield f"activity {activity_id} is {summary}, but its procedure is {procedure}"


def _follows(later: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Whether one summary of an activity can be a later one than the other."""
    states = earlier["activity_states"]
    return (
        all(later[name] == earlier[name] for name in ("id", "activity_name", "prepare_only", "command_id"))
        and later["activity_states"][: len(states)] == states
        and earlier["procedure_id"] in (None, later["procedure_id"])
        and earlier["reason"] in (None, later["reason"])
    )
