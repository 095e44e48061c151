"""Helpers of the user-interface layers."""

from typing import Any

from ska_oso_oet.model import FunctionArgs
from ska_oso_oet.procedure.domain import ProcedureInput
from ska_oso_oet.procedure.ui import to_procedure_input


def convert_request_dict_to_procedure_input(fn_dict: dict[str, Any]) -> ProcedureInput:
    """Return the arguments of a call that a request gives.

    :param fn_dict: e.g. ``{"args": [1, 2], "kwargs": {"subarray_id": 42}}``
    :raises pydantic.ValidationError: if it is not of that form
    """
    return to_procedure_input(FunctionArgs.model_validate(fn_dict))
