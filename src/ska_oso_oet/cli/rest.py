"""Typed client of the REST API of an OET."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ValidationError

from ska_oso_oet.model import (
    ActivityRequest,
    ActivitySummary,
    AdminMode,
    ControllerSettings,
    ControllerStatus,
    FileList,
    LastCreatedError,
    Model,
    OperatingState,
    Output,
    ProcedureInput,
    ProcedurePage,
    ProcedureRequest,
    ProcedureState,
    ProcedureSummary,
    PythonEnvironment,
    Queue,
    Requester,
    SchedulingBlockPage,
    Script,
    ScriptDescription,
    SettingsChange,
    StopReply,
    explain,
    last_created_by,
    script_to_json,
)

from .connection import STOP_TIMEOUT, HttpSession
from .errors import CommandError

_NO_PROCEDURE = "There is no procedure: 'oet procedure create' prepares one"

_FETCH_TIMEOUT = 130.0
"""Seconds to wait for a script that is fetched from git, which the service does for 120 s."""

_ODA_TIMEOUT = 70.0
"""Seconds to wait for a search in the ODA, for which the service waits for 60 s."""

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Reply(Generic[T]):
    """Reply of the service."""

    body: dict[str, Any]
    """As it was sent."""
    content: T
    """Its content."""

    def as_list(self) -> "Reply[list[T]]":
        """Return the same, as a list of one."""
        return Reply(self.body, [self.content])


class RestClient:
    """Calls of one OET service. All may raise what :meth:`.HttpSession.request` raises.

    :param http: connections to the service
    """

    def __init__(self, http: HttpSession) -> None:
        self.http = http

    def procedures(self) -> Reply[list[ProcedureSummary]]:
        """List all procedures, ordered by ID."""
        body = self.http.request("GET", "/procedures")
        return Reply(body, _read_all(body, "procedures", ProcedureSummary))

    def procedure(self, pid: int) -> Reply[ProcedureSummary]:
        """Look at one procedure."""
        return _procedure(self.http.request("GET", f"/procedures/{pid}"))

    def last_created(self) -> ProcedureSummary:
        """Return the procedure that was created last.

        :raises CommandError: if there is none
        """
        procedures = self.procedures().content
        if not procedures:
            raise CommandError(_NO_PROCEDURE)
        return procedures[-1]

    def last_created_by_this_user(self) -> ProcedureSummary:
        """Return the procedure that this user has created last.

        :raises CommandError: if there is none, or another user has created one since
        """
        user = self.http.known_user()
        try:
            last = last_created_by(Requester(user=user), self.procedures().content)
        except LastCreatedError as error:
            raise CommandError(f"{error}, with --pid") from None
        if last is None:
            raise CommandError(_NO_PROCEDURE)
        return last

    def find_procedures(self, query: Mapping[str, Any]) -> Reply[ProcedurePage]:
        """Find procedures among all that are kept, newest first.

        :param query: parameters of the request
        """
        asked = {name: value for name, value in query.items() if value not in (None, "", [], ())}
        body = self.http.request("GET", f"/procedures?{urlencode(asked, doseq=True)}")
        found = sorted(_read_all(body, "procedures", ProcedureSummary), key=lambda each: -each.id)
        return Reply(body, ProcedurePage(procedures=found, next=body.get("next")))

    def rerun_procedure(self, pid: int, script_args: Mapping[str, ProcedureInput]) -> Reply[ProcedureSummary]:
        """Prepare the script of a procedure again.

        :param pid: ID of the procedure
        :param script_args: arguments to replace, by function
        """
        body = {"script_args": {name: given.to_json() for name, given in script_args.items()}}
        return _procedure(self.http.request("POST", f"/procedures/{pid}/rerun", body))

    def files(self, pid: int) -> Reply[FileList]:
        """List the files of a procedure."""
        return read_reply(self.http.request("GET", f"/procedures/{pid}/files"), FileList)

    def environment(self, pid: int) -> Reply[PythonEnvironment]:
        """Look at the Python environment that a procedure ran in."""
        return read_reply(self.http.request("GET", f"/procedures/{pid}/environment"), PythonEnvironment)

    def describe_script(self, uri: str) -> Reply[ScriptDescription]:
        """Return the description of a script in a file says of itself."""
        body = self.http.request("GET", f"/scripts/describe?{urlencode({'uri': uri})}")
        return read_reply(body, ScriptDescription)

    def describe_any_script(self, script: Script) -> Reply[ScriptDescription]:
        """Return the description of a script says of itself, also one that has to be fetched before."""
        asked = {"script": script_to_json(script)}
        body = self.http.request("POST", "/scripts/describe", asked, patience=_FETCH_TIMEOUT)
        return read_reply(body, ScriptDescription)

    def create_procedure(self, request: ProcedureRequest) -> Reply[ProcedureSummary]:
        """Prepare a script."""
        return _procedure(self.http.request("POST", "/procedures", _as_sent(request)))

    def start_procedure(self, pid: int, main: ProcedureInput) -> Reply[ProcedureSummary]:
        """Ask for a procedure to be started.

        :param pid: ID of the procedure
        :param main: arguments of its ``main``
        :returns: the procedure; unchanged, if it cannot be started in its state
        """
        body = {"state": ProcedureState.RUNNING, "script_args": {"main": main.to_json()}}
        return _procedure(self.http.request("PUT", f"/procedures/{pid}", body))

    def set_state(self, pid: int, state: ProcedureState) -> Reply[ProcedureSummary]:
        """Pause or resume a procedure.

        :param pid: ID of the procedure
        :param state: PAUSED or RUNNING
        """
        return _procedure(self.http.request("PUT", f"/procedures/{pid}", {"state": state}))

    def stop_procedure(self, pid: int, abort: bool, at_checkpoint: bool = False) -> Reply[StopReply]:
        """Stop a procedure.

        :param pid: ID of the procedure
        :param abort: whether the abort script is to run then
        :param at_checkpoint: whether to let it continue to its next checkpoint, and not to wait for that
        :returns: how that went
        """
        request: dict[str, Any] = {"state": ProcedureState.STOPPED, "abort": abort}
        if at_checkpoint:
            request["at"] = "checkpoint"
        body = self.http.request("PUT", f"/procedures/{pid}", request, patience=STOP_TIMEOUT)
        # Services up to 5.2.0 send the message only: it is shown, and nothing is concluded from its words.
        message = _member(body, "abort_message")
        stop = {
            "abort_message": message,
            "stopped": body.get("stopped", True),
            "aborted": body.get("aborted"),
            "aborted_subarray": body.get("aborted_subarray"),
        }
        with _understood():
            return Reply(body, StopReply.model_validate(stop))

    def output(self, pid: int, after: int) -> Reply[Output]:
        """Read lines that a script has written.

        :param pid: ID of the procedure
        :param after: how many lines to skip
        """
        return read_reply(self.http.request("GET", f"/procedures/{pid}/output?after={after}"), Output)

    def scripts(self) -> Reply[list[str]]:
        """List the scripts that can be run."""
        body = self.http.request("GET", "/scripts")
        return Reply(body, list(map(str, _member(body, "scripts"))))

    def queue(self, query: Mapping[str, int] | None = None) -> Reply[Queue]:
        """Look at the queue.

        :param query: parameters of the request: which part of it
        """
        path = f"/queue?{urlencode(query)}" if query else "/queue"
        return read_reply(self.http.request("GET", path), Queue)

    def status(self) -> Reply[ControllerStatus]:
        """Look at the controller."""
        return read_reply(self.http.request("GET", "/status"), ControllerStatus)

    def reset(self) -> Reply[ControllerStatus]:
        """Reset the controller after a fault was fixed."""
        return read_reply(self.http.request("POST", "/reset", patience=STOP_TIMEOUT), ControllerStatus)

    def set_admin_mode(self, mode: AdminMode) -> Reply[ControllerStatus]:
        """Set how far the controller may be used."""
        return read_reply(self.http.request("PUT", "/admin_mode", {"admin_mode": mode}), ControllerStatus)

    def switch(self, state: OperatingState) -> Reply[ControllerStatus]:
        """Switch the controller on, off or to stand-by."""
        body = self.http.request("PUT", "/state", {"state": state}, patience=STOP_TIMEOUT)
        return read_reply(body, ControllerStatus)

    def settings(self) -> Reply[ControllerSettings]:
        """Look at what can be set of the controller."""
        return read_reply(self.http.request("GET", "/settings"), ControllerSettings)

    def change_settings(self, change: SettingsChange) -> Reply[ControllerSettings]:
        """Set something of the controller."""
        return read_reply(self.http.request("PUT", "/settings", _as_sent(change)), ControllerSettings)

    def activities(self) -> Reply[list[ActivitySummary]]:
        """List all activities, ordered by ID."""
        body = self.http.request("GET", "/activities")
        return Reply(body, _read_all(body, "activities", ActivitySummary))

    def activity(self, aid: int) -> Reply[ActivitySummary]:
        """Look at one activity."""
        return _activity(self.http.request("GET", f"/activities/{aid}"))

    def find_scheduling_blocks(self, query: str, limit: int) -> Reply[SchedulingBlockPage]:
        """Find Scheduling Blocks in the ODA.

        :param query: part of their IDs
        :param limit: how many at most
        """
        path = f"/sbds?{urlencode({'query': query, 'limit': limit})}"
        return read_reply(self.http.request("GET", path, patience=_ODA_TIMEOUT), SchedulingBlockPage)

    def run_activity(self, request: ActivityRequest) -> Reply[ActivitySummary]:
        """Prepare the script of an activity and, by default, run it."""
        return _activity(self.http.request("POST", "/activities", _as_sent(request)))


def read_summary(value: Any, model: type[M]) -> M:
    """Read the summary of a procedure or activity. Additional fields of newer services are ignored.

    :param value: JSON of the summary
    :param model: what it should be
    :raises ValueError: if it is not that
    """
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    completed = {**value, "id": summary_id(value)}
    if "created" in model.model_fields and "created" not in value:
        completed["created"] = _first_time(value)
    return model.model_validate(completed, extra="ignore")


def summary_id(value: Any) -> int | None:
    """Return the ID of a procedure or activity; of services up to 5.2.0, the one at the end of its URI.

    :param value: JSON of the summary
    :returns: None if it has none
    """
    if not isinstance(value, dict):
        return None
    identity = value.get("id", str(value.get("uri")).rstrip("/").rpartition("/")[2])
    try:
        return int(identity)
    except (TypeError, ValueError):
        return None


def _as_sent(request: BaseModel) -> dict[str, Any]:
    """Return a request as JSON, without fields that are not set."""
    return request.model_dump(mode="json", exclude_unset=True)


def read_reply(body: dict[str, Any], model: type[M]) -> Reply[M]:
    """Read an answer that is a model as a whole. Additional fields of newer services are ignored."""
    with _understood():
        return Reply(body, model.model_validate(body, extra="ignore"))


def _procedure(body: dict[str, Any]) -> Reply[ProcedureSummary]:
    return Reply(body, _read(_member(body, "procedure"), ProcedureSummary))


def _activity(body: dict[str, Any]) -> Reply[ActivitySummary]:
    return Reply(body, _read(_member(body, "activity"), ActivitySummary))


def _read_all(body: dict[str, Any], key: str, model: type[M]) -> list[M]:
    items = _member(body, key)
    if not isinstance(items, list):
        raise CommandError(f"The server's reply cannot be understood: {key!r} is not a list")
    return [_read(item, model) for item in sorted(items, key=lambda item: summary_id(item) or 0)]


def _read(value: Any, model: type[M]) -> M:
    with _understood():
        return read_summary(value, model)


@contextmanager
def _understood() -> Iterator[None]:
    """Report a reply that cannot be read in the words of this command.

    :raises CommandError: if the context raises ValueError
    """
    try:
        yield
    except ValueError as error:
        reason = explain(error) if isinstance(error, ValidationError) else error
        raise CommandError(f"The server's reply cannot be understood: {reason}") from error


def _member(body: dict[str, Any], key: str) -> Any:
    if key not in body:
        raise CommandError(f"The server's reply cannot be understood: it has no {key!r}")
    return body[key]


def _first_time(summary: dict[str, Any]) -> Any:
    """Return the time of the first state; services up to 5.2.0 send no time of creation."""
    try:
        return summary["history"]["process_states"][0][1]
    except (KeyError, IndexError, TypeError):
        return None
