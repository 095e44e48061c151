"""Arguments of the commands: from a client's text to a model, or to an error that says what to do."""

import re
from typing import Any, NoReturn, TypeVar

import tango
from pydantic import ValidationError

from oet_devices.ska.texts import tango_text
from ska_oso_oet.activity.domain import ActivityNotFound
from ska_oso_oet.event.journal import EventsNoLongerKept, JournalUnavailable
from ska_oso_oet.model import Model, ProcedureRequest, StartRequest, StopRequest
from ska_oso_oet.procedure.domain import (
    ArgumentsDoNotFit,
    ProcedureNotFound,
    ScriptDefective,
    ScriptNotAllowed,
    ScriptNotFound,
)

from .json_text import MAX_TEXT, load_json

AnyModel = TypeVar("AnyModel", bound=Model)

# Reasons of DevFailed, by what was raised; the first that fits.
_REASONS: dict[type[Exception], str] = {
    ProcedureNotFound: "OET_ProcedureNotFound",
    ActivityNotFound: "OET_ActivityNotFound",
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

# What pydantic says of these is written for programmers.
_SENTENCES = {
    "missing": "this field is missing",
    "extra_forbidden": "there is no such field, check its spelling",
    "model_type": "a JSON object was expected",
    "dict_type": "a JSON object was expected",
}


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
    text = text.strip()
    if not text:
        raise ValueError("give the URI of a script, e.g. file:///scripts/observe.py, or a request as JSON")
    if text.startswith("{"):
        return parse(ProcedureRequest, text)
    if len(text) > MAX_TEXT:
        raise ValueError(f"the URI has {len(text)} characters, {MAX_TEXT} are allowed")
    script_type = "git" if text.startswith("git://") else "filesystem"
    return _validate(ProcedureRequest, {"script": {"script_type": script_type, "script_uri": text}})


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
    text = text.strip()
    if not text or text.startswith("{"):
        return parse(model, text)
    if re.fullmatch("[0-9]+", text) is None:
        raise ValueError(
            f"{text[:40]!r} is no procedure ID: give nothing, an ID, e.g. 2, or a JSON object, "
            'e.g. {"pid": 2}'
        )
    return _validate(model, {"pid": load_json(text)})


def parse(model: type[AnyModel], text: str) -> AnyModel:
    """Return the model that a JSON object makes.

    :param model: class of the model
    :param text: the JSON; nothing at all is an empty object
    :raises ValueError: if it is no JSON, or does not make such a model
    """
    return _validate(model, load_json(text.strip() or "{}"))


def _validate(model: type[AnyModel], value: Any) -> AnyModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ValueError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """Say in one line what is wrong with each field."""
    told = []
    for item in error.errors(include_url=False):
        # Of a key that is not allowed the location ends so; the key itself stands before that.
        where = ".".join(str(part) for part in item["loc"] if part != "[key]")
        own = item.get("ctx", {}).get("error")
        what = str(own) if own is not None else _SENTENCES.get(item["type"], item["msg"])
        told.append(f"{where}: {what}" if where else what)
    return "; ".join(told)
