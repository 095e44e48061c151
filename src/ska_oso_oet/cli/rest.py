"""The REST API of an OET, as typed calls."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from ska_oso_oet.model import (
    Activity,
    ActivityRequest,
    FunctionArgs,
    Model,
    Procedure,
    ProcedureRequest,
    ProcedureState,
)

from .connection import STOP_TIMEOUT, HttpSession
from .errors import OetError

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Reply(Generic[T]):
    """What the service answered."""

    body: dict[str, Any]
    """As it was sent."""
    content: T
    """What it says."""

    def as_list(self) -> "Reply[list[T]]":
        """Return the same, as a list of one."""
        return Reply(self.body, [self.content])


class RestClient:
    """Calls of one OET service. All may raise what :meth:`.HttpSession.request` raises.

    :param http: connections to the service
    """

    def __init__(self, http: HttpSession) -> None:
        self.http = http

    def procedures(self) -> Reply[list[Procedure]]:
        """List all procedures, ordered by ID."""
        body = self.http.request("GET", "/procedures")
        return Reply(body, _read_all(body, "procedures", Procedure))

    def procedure(self, pid: int) -> Reply[Procedure]:
        """Look at one procedure."""
        return _procedure(self.http.request("GET", f"/procedures/{pid}"))

    def create_procedure(self, request: ProcedureRequest) -> Reply[Procedure]:
        """Have a script prepared."""
        return _procedure(self.http.request("POST", "/procedures", _as_sent(request)))

    def start_procedure(self, pid: int, main: FunctionArgs) -> Reply[Procedure]:
        """Ask for a procedure to be started.

        :param pid: ID of the procedure
        :param main: arguments of its ``main``
        :returns: the procedure; unchanged, if it cannot be started in its state
        """
        body = {"state": ProcedureState.RUNNING, "script_args": {"main": main.model_dump(mode="json")}}
        return _procedure(self.http.request("PUT", f"/procedures/{pid}", body))

    def stop_procedure(self, pid: int, abort: bool) -> Reply[str]:
        """Stop a procedure.

        :param pid: ID of the procedure
        :param abort: whether the abort script is to run then
        :returns: what the service says has happened
        """
        request = {"state": ProcedureState.STOPPED, "abort": abort}
        body = self.http.request("PUT", f"/procedures/{pid}", request, patience=STOP_TIMEOUT)
        return Reply(body, str(_member(body, "abort_message")))

    def activities(self) -> Reply[list[Activity]]:
        """List all activities, ordered by ID."""
        body = self.http.request("GET", "/activities")
        return Reply(body, _read_all(body, "activities", Activity))

    def activity(self, aid: int) -> Reply[Activity]:
        """Look at one activity."""
        return _activity(self.http.request("GET", f"/activities/{aid}"))

    def run_activity(self, request: ActivityRequest) -> Reply[Activity]:
        """Have the script of an activity prepared and, unless told otherwise, run."""
        return _activity(self.http.request("POST", "/activities", _as_sent(request)))


def read_summary(value: Any, model: type[M]) -> M:
    """Read the summary of a procedure or activity. What a newer service says beside is passed over.

    :param value: JSON of the summary
    :param model: what it should be
    :raises ValueError: if it is not that
    """
    if not isinstance(value, dict):
        raise ValueError("it is no JSON object")
    completed = {**value, "id": summary_id(value)}
    if "created" in model.model_fields and "created" not in value:
        completed["created"] = _first_time(value)
    return model.model_validate(completed, extra="ignore")


def summary_id(value: Any) -> int | None:
    """Return the ID of a procedure or activity; of services up to 5.2.0, that which its URI ends in.

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


def reasons(error: ValidationError) -> str:
    """Return what a model found wrong, in one line.

    :param error: as pydantic raised it
    """
    found = []
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in detail["loc"])
        message = detail["msg"].removeprefix("Value error, ")
        found.append(f"{place}: {message}" if place else message)
    return "; ".join(found)


def _as_sent(request: BaseModel) -> dict[str, Any]:
    """Return a request as JSON, without the fields that nobody set."""
    return request.model_dump(mode="json", exclude_unset=True)


def _procedure(body: dict[str, Any]) -> Reply[Procedure]:
    return Reply(body, _read(_member(body, "procedure"), Procedure))


def _activity(body: dict[str, Any]) -> Reply[Activity]:
    return Reply(body, _read(_member(body, "activity"), Activity))


def _read_all(body: dict[str, Any], key: str, model: type[M]) -> list[M]:
    items = _member(body, key)
    if not isinstance(items, list):
        raise OetError(f"The server's reply cannot be understood: {key!r} is no list")
    return [_read(item, model) for item in sorted(items, key=lambda item: summary_id(item) or 0)]


def _read(value: Any, model: type[M]) -> M:
    try:
        return read_summary(value, model)
    except ValueError as error:
        reason = reasons(error) if isinstance(error, ValidationError) else error
        raise OetError(f"The server's reply cannot be understood: {reason}") from error


def _member(body: dict[str, Any], key: str) -> Any:
    if key not in body:
        raise OetError(f"The server's reply cannot be understood: it has no {key!r}")
    return body[key]


def _first_time(summary: dict[str, Any]) -> Any:
    """Return the time of the first state; services up to 5.2.0 send no time of creation."""
    try:
        return summary["history"]["process_states"][0][1]
    except (KeyError, IndexError, TypeError):
        return None
