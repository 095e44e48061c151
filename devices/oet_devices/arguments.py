"""Arguments of the commands: from a client's text to a model, or to an error that says what to do."""

import json
from typing import Any, NoReturn, TypeVar

import tango
from pydantic import ValidationError

from oet_devices.ska.texts import tango_text
from ska_oso_oet.event.journal import EventsNoLongerKept, JournalUnavailable
from ska_oso_oet.model import Model, ProcedureRequest, StartRequest, StopRequest
from ska_oso_oet.procedure.domain import (
    ArgumentsDoNotFit,
    ProcedureNotFound,
    ScriptDefective,
    ScriptNotAllowed,
    ScriptNotFound,
)

MAX_ARGUMENT = 1 << 20
"""Greatest length of a command's argument, in characters."""

AnyModel = TypeVar("AnyModel", bound=Model)

# Reasons of DevFailed, by what was raised; the first that fits.
_REASONS: dict[type[Exception], str] = {
    ProcedureNotFound: "OET_ProcedureNotFound",
    ScriptNotFound: "OET_ScriptNotFound",
    ScriptNotAllowed: "OET_ScriptNotAllowed",
    ScriptDefective: "OET_ScriptDefective",
    ArgumentsDoNotFit: "OET_ArgumentsDoNotFit",
    EventsNoLongerKept: "OET_EventsNoLongerKept",
    JournalUnavailable: "OET_JournalUnavailable",
    ValueError: "OET_InvalidArgument",
}
REFUSALS = tuple(_REASONS)
"""Exceptions whose message says to a client why it does not get what it has asked for."""


def refuse(error: Exception, command: str) -> NoReturn:
    """Raise what a client is to see of an exception.

    :param error: one of `REFUSALS`
    :param command: name of the command
    :raises tango.DevFailed: always
    """
    reason = next(reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    tango.Except.throw_exception(reason, tango_text(str(error)), f"OETController.{command}")
    raise AssertionError("throw_exception raises") from error


def parse_create(text: str) -> ProcedureRequest:
    """Return the request that an argument of Create makes: a bare script URI, or JSON.

    :raises ValueError: if it is neither
    """
    if not text.strip():
        raise ValueError("give the URI of a script, e.g. file:///scripts/observe.py, or a request as JSON")
    if not text.lstrip().startswith("{"):
        script_type = "git" if text.startswith("git://") else "filesystem"
        script = {"script_type": script_type, "script_uri": text.strip()}
        return _validate(ProcedureRequest, {"script": script})
    return parse(ProcedureRequest, text)


def parse_start(text: str) -> StartRequest:
    """Return the request that an argument of Start makes: nothing, a procedure ID, or JSON.

    :raises ValueError: if it is none of these
    """
    return _parse_id_or_json(StartRequest, text)


def parse_stop(text: str) -> StopRequest:
    """Return the request that an argument of Stop makes: nothing, a procedure ID, or JSON.

    :raises ValueError: if it is none of these
    """
    return _parse_id_or_json(StopRequest, text)


def _parse_id_or_json(model: type[AnyModel], text: str) -> AnyModel:
    value = _load(text or "{}")
    return _validate(model, value if isinstance(value, dict) else {"pid": value})


def parse(model: type[AnyModel], text: str) -> AnyModel:
    """Return the model that a JSON object makes.

    :param model: class of the model
    :param text: the JSON; nothing at all is an empty object
    :raises ValueError: if it is no JSON, or does not make such a model
    """
    return _validate(model, _load(text or "{}"))


def _load(text: str) -> Any:
    if len(text) > MAX_ARGUMENT:
        raise ValueError(f"the argument has {len(text)} characters, {MAX_ARGUMENT} are allowed")
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"the argument is no valid JSON: {error}") from None


def _validate(model: type[AnyModel], value: Any) -> AnyModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ValueError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """Say in one line what is wrong with each field."""
    told = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"])
        told.append(f"{where}: {item['msg']}" if where else item["msg"])
    return "; ".join(told)
