"""A service that keeps the wire contract of the OET, over real sockets, controlled by a test.

It runs no scripts: what a procedure does when it is started is a list of steps, by script URI. All that it
sends and answers, refusals and the event stream included, has the shape of the contract.
"""

import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from .contract_http import Answer, ContractHttpServer, EventLog, Recorded

Json = dict[str, Any]


@dataclass(frozen=True)
class ScriptStep:
    """Something that a script does: it publishes an event, or (without a topic) changes its state."""

    topic: str = ""
    fields: Json = field(default_factory=dict)
    state: str = ""


def to(state: str) -> ScriptStep:
    """Return the step to a state."""
    return ScriptStep(state=state)


def says(topic: str, **fields: Any) -> ScriptStep:
    """Return the step that publishes an event."""
    return ScriptStep(topic, fields)


PREPARES = (to("IDLE"), to("LOADING"), to("IDLE"), to("RUNNING"), to("READY"))
COMPLETES = (to("READY"), to("COMPLETE"))
FAILS = (to("FAILED"),)
STACKTRACE = """\
Traceback (most recent call last):
  File "a.py", line 2, in main
ZeroDivisionError: division by zero
"""

_LIFECYCLE = {"COMPLETE": "complete", "FAILED": "failed", "STOPPED": "stopped", "RUNNING": "started"}
_ACTIVITY_STATES = {"READY": "PREPARED"} | {s: s for s in ("RUNNING", "COMPLETE", "FAILED", "STOPPED")}
_STOPPABLE = {"IDLE", "LOADING", "READY", "RUNNING"}


class ContractServer:
    """The service. Its attributes may be set by a test at any time.

    :ivar preparing: what a script does when it is created, by URI, after CREATING; else it becomes READY
    :ivar running: what a script does when it is started, by URI, after RUNNING; else nothing: it goes on
    :ivar answers: if not empty, the next requests get these, and nothing else happens
    :ivar names_procedures: whether the answer to a request to run an activity has the ID of its procedure
    :ivar clock: gives the time of each state, in seconds since 1970 (UTC)
    """

    def __init__(self) -> None:
        self.preparing: dict[str, Sequence[ScriptStep]] = {}
        self.running: dict[str, Sequence[ScriptStep]] = {}
        self.answers: deque[Answer] = deque()
        self.names_procedures = True
        self.clock: Callable[[], float] = time.time
        self.procedures: dict[int, Json] = {}
        self.activities: dict[int, Json] = {}
        self.events = EventLog()
        self._lock = threading.RLock()
        self._http = ContractHttpServer(self._answer, self.events)

    @property
    def url(self) -> str:
        """Address of the REST API."""
        return self._http.url

    @property
    def requests(self) -> list[Recorded]:
        """What was received, without the requests that only look."""
        return [request for request in self._http.requests if request.method != "GET"]

    @property
    def streams(self) -> list[Recorded]:
        """The requests for the stream of events."""
        return [request for request in self._http.requests if request.path == "/stream"]

    def close(self) -> None:
        """End all streams, and the server."""
        self._http.close()

    def publish(self, topic: str, msg_src: str | None = None, **fields: Any) -> int:
        """Publish an event and return its number."""
        return self.events.append({"topic": topic, "msg_src": msg_src, **fields})

    def prepare(self, uri: str) -> None:
        """Create a procedure, as a client would."""
        with self._lock:
            self._create({"script_type": "filesystem", "script_uri": uri}, {})

    def state_of_last(self) -> str | None:
        """Return the state of the procedure that was created last, None if there is none."""
        with self._lock:
            return str(self.procedures[len(self.procedures)]["state"]) if self.procedures else None

    def perform(self, pid: int, *steps: ScriptStep) -> None:
        """Have a script do something."""
        with self._lock:
            for step in steps:
                if step.topic:
                    self.publish(step.topic, str(pid), **step.fields)
                else:
                    self._change(self.procedures[pid], step.state)

    def _change(self, procedure: Json, state: str) -> None:
        now = self.clock()
        pid = procedure["id"]
        procedure["state"] = state
        procedure["history"]["process_states"].append([state, now])
        if state == "FAILED":
            procedure["history"]["stacktrace"] = STACKTRACE
        self.publish("procedure.lifecycle.statechange", str(pid), new_state=state)
        if state in _LIFECYCLE:
            self.publish(
                f"procedure.lifecycle.{_LIFECYCLE[state]}", "SESWorker", request_id=now, result=procedure
            )
        if state == "FAILED":
            self.publish("procedure.lifecycle.stacktrace", str(pid), stacktrace=STACKTRACE)
        self._tell_activity(pid, state, now)

    def _tell_activity(self, pid: int, state: str, now: float) -> None:
        known = _ACTIVITY_STATES.get(state)
        for activity in self.activities.values():
            started = any(name == "PREPARED" for name, _ in activity["activity_states"])
            if activity["procedure_id"] != pid or known is None or (started == (known == "PREPARED")):
                continue
            activity["state"] = known
            activity["activity_states"].append([known, now])
            self.publish(
                "activity.lifecycle.statechange",
                "ActivityWorker",
                activity_id=activity["id"],
                new_state=known,
            )

    def _answer(self, method: str, path: str, body: Any) -> Answer:
        with self._lock:
            if self.answers:
                return self.answers.popleft()
            # The answer is what was true when it was given, whatever happens before it is sent.
            return copy.deepcopy(self._route(method, path.strip("/").split("/"), body))

    def _route(self, method: str, path: list[str], body: Any) -> Answer:
        match method, path:
            case "GET", ["procedures"]:
                return Answer(200, {"procedures": list(self.procedures.values())})
            case "GET", ["procedures", number]:
                return _found("procedure", self.procedures, number, "PID")
            case "POST", ["procedures"]:
                return self._create(body["script"], body.get("script_args", {}))
            case "PUT", ["procedures", number] if int(number) in self.procedures:
                return self._update(self.procedures[int(number)], body)
            case "GET", ["activities"]:
                return Answer(200, {"activities": list(self.activities.values())})
            case "GET", ["activities", number]:
                return _found("activity", self.activities, number, "ID")
            case "POST", ["activities"]:
                return self._run_activity(body)
        return refusal(404, f"No information available for PID={path[-1]}")

    def _create(self, script: Json, script_args: Json) -> Answer:
        procedure = self._new_procedure(script, script_args)
        answer = Answer(201, {"procedure": copy.deepcopy(procedure)})
        self.perform(procedure["id"], *self.preparing.get(script["script_uri"], PREPARES))
        self.publish("procedure.lifecycle.created", "SESWorker", request_id=1.5, result=procedure)
        return answer

    def _new_procedure(self, script: Json, script_args: Json) -> Json:
        pid = len(self.procedures) + 1
        now = self.clock()
        procedure = {
            "id": pid,
            "uri": f"{self.url}/procedures/{pid}",
            "script": script,
            "script_args": script_args,
            "history": {"process_states": [["CREATING", now]], "stacktrace": None},
            "state": "CREATING",
            "created": now,
        }
        self.procedures[pid] = procedure
        self.publish("request.procedure.create", "FlaskWorker", request_id=now, cmd={"script": script})
        return procedure

    def _update(self, procedure: Json, body: Json) -> Answer:
        pid = procedure["id"]
        if body["state"] == "STOPPED":
            return self._stop(procedure, body.get("abort", False))
        if procedure["state"] != "READY":
            return Answer(200, {"procedure": procedure})
        procedure["script_args"].update(body.get("script_args", {}))
        self.perform(pid, to("RUNNING"))
        answer = Answer(200, {"procedure": copy.deepcopy(procedure)})
        # The whole script runs before the client hears that it was started.
        self.perform(pid, *self.running.get(procedure["script"]["script_uri"], ()))
        return answer

    def _stop(self, procedure: Json, abort: bool) -> Answer:
        pid = procedure["id"]
        if procedure["state"] not in _STOPPABLE:
            message = f"Cannot stop script with ID {pid}: Script is not running"
            return stop_answer(message, stopped=False, aborted=False if abort else None)
        self.perform(pid, to("STOPPED"))
        message = f"Successfully stopped script with ID {pid}"
        if abort:
            message += " and aborted subarray activity"
        return stop_answer(message, stopped=True, aborted=True if abort else None)

    def _run_activity(self, body: Json) -> Answer:
        uri = f"file://{body['activity_name']}.py"
        script = {"script_type": "filesystem", "script_uri": uri}
        procedure = self._new_procedure(script, body["script_args"])
        aid = len(self.activities) + 1
        activity = {
            "id": aid,
            "uri": f"{self.url}/activities/{aid}",
            "activity_name": body["activity_name"],
            "sbd_id": body["sbd_id"],
            "procedure_id": procedure["id"],
            "prepare_only": body["prepare_only"],
            "script_args": body["script_args"],
            "activity_states": [["REQUESTED", procedure["created"]]],
            "state": "REQUESTED",
        }
        self.activities[aid] = activity
        known = {} if self.names_procedures else {"procedure_id": None}
        answer = Answer(201, {"activity": copy.deepcopy(activity | known)})
        self.perform(procedure["id"], *self.preparing.get(uri, PREPARES))
        if not body["prepare_only"]:
            self.perform(procedure["id"], to("RUNNING"), *self.running.get(uri, ()))
        return answer


def stop_answer(message: str, *, stopped: bool, aborted: bool | None) -> Answer:
    """Return the answer to a stop."""
    return Answer(200, {"abort_message": message, "stopped": stopped, "aborted": aborted})


def refusal(status: int, message: str) -> Answer:
    """Return an answer with the error body that the contract demands of every status."""
    error = f"{status} {HTTPStatus(status).phrase}"
    return Answer(status, {"error": error, "type": HTTPStatus(status).name, "Message": message})


def _found(key: str, known: dict[int, Json], number: str, name: str) -> Answer:
    if int(number) not in known:
        return refusal(404, f"No information available for {name}={number}")
    return Answer(200, {key: known[int(number)]})


@contextmanager
def contract_server() -> Iterator[ContractServer]:
    """Run the service on a free port of the loopback interface."""
    server = ContractServer()
    try:
        yield server
    finally:
        server.close()
