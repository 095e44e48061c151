"""The context that operators set for all scripts: ``main`` gets a copy by its parameter ``context``."""

import copy
import inspect
from collections.abc import Mapping
from typing import Any

from ska_oso_oet.model import ProcedureInput

PARAMETER = "context"
"""Parameter by which ``main`` gets it."""

_FUNCTION = "main"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def is_filled(function: str, parameter: inspect.Parameter) -> bool:
    """Return whether the OET gives a function the value of a parameter, where a client gives none.

    :param function: name of the function
    :param parameter: the parameter
    """
    return function == _FUNCTION and parameter.name == PARAMETER and parameter.kind in _NAMED


def fill(
    function: str, signature: inspect.Signature, arguments: ProcedureInput, context: Mapping[str, Any]
) -> ProcedureInput:
    """Return the arguments of a call with a copy of the context, where the function takes it.

    An argument of the client has precedence.

    :param function: name of the function that is called
    :param signature: its signature
    :param arguments: arguments that were given
    :param context: the context
    """
    parameter = signature.parameters.get(PARAMETER)
    if parameter is None or not is_filled(function, parameter) or PARAMETER in arguments.kwargs:
        return arguments
    place = list(signature.parameters).index(PARAMETER)
    if parameter.kind is not inspect.Parameter.KEYWORD_ONLY and place < len(arguments.args):
        return arguments
    return ProcedureInput(*arguments.args, **{**arguments.kwargs, PARAMETER: copy.deepcopy(dict(context))})
