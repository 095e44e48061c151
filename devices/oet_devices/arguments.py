"""Parser of the arguments of commands: a model, or an error that says what to do."""

import json
import re
from typing import Any, NoReturn, TypeVar

import tango
from pydantic import ValidationError

from oet_devices.ska.texts import tango_text
from ska_oso_oet.model import (
    DETAILS_REASON,
    CheckpointRequest,
    Model,
    OetError,
    ProcedureRequest,
    RerunRequest,
    StartRequest,
    StopRequest,
    explain,
)

from .json_text import MAX_TEXT, load_json
from .reasons import REASONS

AnyModel = TypeVar("AnyModel", bound=Model)

REFUSALS = tuple(REASONS)
"""Exceptions whose message explains to a client why its request is refused."""


def refuse(error: Exception, command: str) -> NoReturn:
    """Convert an exception to a DevFailed for clients: reason and message, then details as JSON.

    :param error: one of `REFUSALS`
    :param command: name of the command
    :raises tango.DevFailed: always
    """
    reason = next(reason for kind, reason in REASONS.items() if isinstance(error, kind))
    origin = f"OETController.{command}"
    errors = [_dev_error(reason, tango_text(str(error)), origin)]
    if isinstance(error, OetError) and error.details:
        errors.append(_dev_error(DETAILS_REASON, json.dumps(dict(error.details)), origin))
    raise tango.DevFailed(*errors) from error


def _dev_error(reason: str, text: str, origin: str) -> tango.DevError:
    error = tango.DevError()
    error.reason, error.desc, error.origin = reason, text, origin
    error.severity = tango.ErrSeverity.ERR
    return error


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


def parse_rerun(text: str) -> RerunRequest:
    """Return the request that an argument of Rerun makes: nothing, a procedure ID, or JSON.

    :raises ValueError: if it is none of these
    """
    return _parse_id_or_json(RerunRequest, text)


def parse_checkpoint(text: str) -> CheckpointRequest:
    """Return the request that an argument of Pause, Resume or Step makes: nothing, an ID, or JSON.

    :raises ValueError: if it is none of these
    """
    return _parse_id_or_json(CheckpointRequest, text)


def _parse_id_or_json(model: type[AnyModel], text: str) -> AnyModel:
    text = text.strip()
    if not text or text.startswith("{"):
        return parse(model, text)
    if re.fullmatch("[0-9]+", text) is None:
        raise ValueError(
            f"{text[:40]!r} is not a procedure ID: give nothing, an ID, e.g. 2, or a JSON object, "
            'e.g. {"pid": 2}'
        )
    return _validate(model, {"pid": load_json(text)})


def parse(model: type[AnyModel], text: str) -> AnyModel:
    """Return the model that a JSON object makes.

    :param model: class of the model
    :param text: the JSON; nothing at all is an empty object
    :raises ValueError: if it is not JSON, or not valid for the model
    """
    return _validate(model, load_json(text.strip() or "{}"))


def _validate(model: type[AnyModel], value: Any) -> AnyModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ValueError(explain(error)) from None
