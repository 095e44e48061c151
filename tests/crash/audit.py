"""Compares what clients have seen of a server that was killed with what the next server remembers."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tests.support.controller_site import Controller

from oet_devices.ska.enums import HealthState
from ska_oso_oet.model import ProcedureState

from .activity_audit import ActivityAudit
from .queue_audit import QueueAudit
from .sightings import Sightings, Verb

_STATE_CHANGE: Final = "procedure.lifecycle.statechange"
_CREATED: Final = "procedure.lifecycle.created"
_REQUEST: Final = "request."


class Past(NamedTuple):
    """Result of the last audit: the numbers from which the next one continues.

    :param last_seq: number of the newest event
    :param last_id: ID of the newest procedure
    :param last_activity_id: ID of the newest activity
    :param digests: of all events, by their numbers
    :param entries: entries of the queue that have not ended, by ID
    :param tokens: procedures whose output begins with a token, by that
    """

    last_seq: int = 0
    last_id: int = 0
    last_activity_id: int = 0
    digests: Mapping[int, int] = MappingProxyType({})
    entries: Mapping[int, dict[str, Any]] = MappingProxyType({})
    tokens: Mapping[str, Sequence[int]] = MappingProxyType({})


class Audit:
    """Comparison of the records of a new server with the observations of clients of the previous one.

    :param controller: the server
    :param sightings: what clients have seen of the one before
    :param past: what the last audit has found
    """

    def __init__(self, controller: Controller, sightings: Sightings, past: Past) -> None:
        self._controller = controller
        self._sightings = sightings
        self._past = past
        self.events = controller.events(past.last_seq)
        self._by_number = {event["seq"]: event for event in self.events}
        created = [int(event["msg_src"]) for event in self.events if event["topic"] == _CREATED]
        self.created_ids = created
        self.summaries = {procedure_id: controller.describe(procedure_id) for procedure_id in created}
        self.activities = ActivityAudit(controller, self.events, self.summaries, past.last_activity_id)
        self.queue = QueueAudit(controller, self.events, self.summaries, past.entries)

    @cached_property
    def present(self) -> Past:
        """From where on the next audit has to look."""
        return Past(
            max(self._by_number, default=self._past.last_seq),
            max(self.summaries, default=self._past.last_id),
            self.activities.last_id,
            {**self._past.digests, **{event["seq"]: _digest(event) for event in self.events}},
            dict(self.queue.live),
            self._tokens(),
        )

    @property
    def unknown(self) -> int:
        """How many procedures died with their server."""
        return sum(summary["state"] == ProcedureState.UNKNOWN for summary in self.summaries.values())

    def findings(self) -> list[str]:
        """Return what should not be, in sentences."""
        return [
            *self._sightings.contradictions,
            *self._check_numbers(),
            *self._check_events(),
            *self._check_accepted(),
            *self._check_seen_summaries(),
            *self._check_states(),
            *self._check_outputs(),
            *self._check_shown(),
            *self.activities.findings(self._sightings),
            *self.queue.findings(self._sightings),
        ]

    def _check_numbers(self) -> Iterator[str]:
        first, last = self._past.last_seq + 1, self.present.last_seq
        numbers = [event["seq"] for event in self.events]
        if numbers != list(range(first, last + 1)):
            yield f"events {sorted(set(range(first, last + 1)) - set(numbers))[:10]} are missing"
        newest_seen = max(self._sightings.events, default=0)
        if last < max(self._sightings.last_number, newest_seen):
            yield f"the last event is {last}, but {self._sightings.last_number} or {newest_seen} was seen"
        ids = self.created_ids
        if ids != list(range(self._past.last_id + 1, self._past.last_id + 1 + len(ids))):
            yield f"after procedure {self._past.last_id}, these were created: {ids}"

    def _check_events(self) -> Iterator[str]:
        digests = self.present.digests
        for number, seen in self._sightings.events.items():
            if digests.get(number) != _digest(seen):
                yield f"event {number} was seen as {seen}, but is {self._by_number.get(number)}"

    def _check_accepted(self) -> Iterator[str]:
        requested = Counter(
            (event["topic"].removeprefix(_REQUEST), event["cmd"].get("pid"))
            for event in self.events
            if event["topic"].startswith(_REQUEST)
        )
        accepted = Counter((each.verb, each.id) for each in self._sightings.accepted)
        for (verb, procedure_id), times in accepted.items():
            if verb in (Verb.START, Verb.STOP) and requested[(verb, procedure_id)] < times:
                yield f"{verb} of procedure {procedure_id} was accepted {times} times, and is not remembered"
        yield from self._sightings.forgotten(Verb.CREATE, self.summaries)

    def _check_seen_summaries(self) -> Iterator[str]:
        for procedure_id, seen in self._sightings.summaries.items():
            remembered = self.summaries.get(procedure_id)
            if remembered is None and procedure_id <= self._past.last_id:
                remembered = self._controller.describe(procedure_id)
            for summary in seen:
                if remembered is None or not _follows(remembered, summary):
                    yield f"procedure {procedure_id} was seen as {summary}, but is {remembered}"

    def _check_states(self) -> Iterator[str]:
        for procedure_id, summary in self.summaries.items():
            yield from self._check_history(procedure_id, summary)
        live = [
            each["id"] for each in self._controller.listed() if not ProcedureState(each["state"]).is_final
        ]
        if live:
            yield f"procedures {live} are live, but their server is dead"
        proxy = self._controller.proxy
        shown = (proxy.lastEventId, proxy.lastProcedure, proxy.runningProcedure)
        if shown != (self.present.last_seq, self.present.last_id, 0):
            yield f"lastEventId, lastProcedure and runningProcedure are {shown} after {self.events[-1:]}"
        if proxy.healthState != HealthState.OK:
            yield f"health is not OK: {proxy.Status()}"

    def _check_history(self, procedure_id: int, summary: dict[str, Any]) -> Iterator[str]:
        states = [state for state, _ in summary["history"]["process_states"]]
        announced = [
            event["new_state"]
            for event in self.events
            if event["topic"] == _STATE_CHANGE and event["msg_src"] == str(procedure_id)
        ]
        if states != announced or summary["state"] != states[-1]:
            yield f"procedure {procedure_id} has the states {states}, but announced {announced}"
        final = [ProcedureState(state).is_final for state in states]
        if final != [False] * (len(states) - 1) + [True]:
            yield f"procedure {procedure_id} has passed through {states}"
        reason = summary["history"]["stacktrace"] or ""
        if summary["state"] == ProcedureState.UNKNOWN and "noticed that at 20" not in reason:
            yield f"procedure {procedure_id} is UNKNOWN, but its reason is '{reason}'"

    def _check_outputs(self) -> Iterator[str]:
        for procedure_id, seen in self._sightings.outputs.items():
            remembered = self._controller.output(procedure_id)
            if remembered[: len(seen)] != seen:
                yield f"the output of procedure {procedure_id} was {seen[-3:]}, but is {remembered[-3:]}"

    def _check_shown(self) -> Iterator[str]:
        tokens = self.present.tokens
        remembered = {
            (token, line)
            for token in {_first_word(line) for line in self._sightings.shown_lines} & tokens.keys()
            for procedure_id in tokens[token]
            for line in self._controller.output(procedure_id)
        }
        for line in self._sightings.shown_lines:
            token = _first_word(line)
            if token in tokens and (token, line) not in remembered and not _is_beginning(line, remembered):
                numbers = " or ".join(map(str, tokens[token]))
                yield f"procedure {numbers} was seen to write '{line}', which has gone"

    def _tokens(self) -> dict[str, Sequence[int]]:
        """Return procedures by token: several, if an entry of the queue was prepared again after a crash.

        What was shown first may be the output of a procedure of the server before.
        """
        tokens = dict(self._past.tokens)
        for procedure_id, summary in self.summaries.items():
            if token := _token(summary):
                tokens[token] = [*tokens.get(token, ()), procedure_id]
        return tokens


def _follows(later: dict[str, Any], earlier: dict[str, Any]) -> bool:
    """Whether one summary of a procedure can be a later one than the other."""
    states = earlier["history"]["process_states"]
    trace = earlier["history"]["stacktrace"]
    return (
        all(later[name] == earlier[name] for name in ("id", "script", "created", "command_id"))
        and later["history"]["process_states"][: len(states)] == states
        and trace in (None, later["history"]["stacktrace"])
        and later["script_args"].items() >= earlier["script_args"].items()
    )


def _digest(event: dict[str, Any]) -> int:
    return hash(json.dumps(event, sort_keys=True))


def _token(summary: dict[str, Any]) -> str:
    """Return the first word of each line that a script prints, empty if that is not known."""
    token: str = summary["script_args"].get("init", {}).get("kwargs", {}).get("token", "")
    return token


def _first_word(line: str) -> str:
    return line.partition(" ")[0]


def _is_beginning(line: str, remembered: set[tuple[str, str]]) -> bool:
    """Whether a line was shown before it was complete."""
    token = _first_word(line)
    return any(known.startswith(line) for owner, known in remembered if owner == token)
