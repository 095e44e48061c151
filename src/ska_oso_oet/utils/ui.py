"""Helpers of the user-interface layers."""

from typing import Any

from pydantic import TypeAdapter

from ska_oso_oet.model import ProcedureInput

_PROCEDURE_INPUT: TypeAdapter[ProcedureInput] = TypeAdapter(ProcedureInput)


def convert_request_dict_to_procedure_input(fn_dict: dict[str, Any]) -> ProcedureInput:
    """Return the arguments of a call that a request gives.

    :param fn_dict: e.g. ``{"args": [1, 2], "kwargs": {"subarray_id": 42}}``
    :raises pydantic.ValidationError: if it is not of that form
    """
    return _PROCEDURE_INPUT.validate_python(fn_dict)
