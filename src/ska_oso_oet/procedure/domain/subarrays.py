"""The subarray that a script's functions are called for, by their parameter ``subarray_id``."""

import inspect
from collections.abc import Mapping
from typing import Any

from ska_oso_oet.model import ProcedureInput

from .errors import ArgumentsError

PARAMETER = "subarray_id"
"""Parameter by which a script's functions get the subarray that they are to use."""

Signatures = Mapping[str, inspect.Signature | None]
"""Signatures of functions by name; None of one that has none, or that does not exist."""


def require_own(function: str, given: Any, own: int | None) -> None:
    """Make sure that a call is not for the subarray of another controller.

    :param function: name of the function that is called
    :param given: value of its ``subarray_id``, None if there is none
    :param own: the only subarray that this controller is for, None if it is for any
    :raises ArgumentsError: naming both, if they differ
    """
    if own is None or given is None or (type(given) is int and given == own):
        return
    raise ArgumentsError(
        f"{function}() was given subarray_id {given!r}, but this controller is for subarray {own} only: "
        f"omit subarray_id, or use the controller of the other subarray"
    )


def fill(
    function: str, signature: inspect.Signature | None, arguments: ProcedureInput, own: int | None
) -> ProcedureInput:
    """Return the arguments of a call, with the subarray of the controller where the function takes one.

    A function takes one if it has a parameter of that name: the names in ``**kwargs`` are not known.

    :param function: name of the function that is called
    :param signature: its signature, None if that is not known
    :param arguments: arguments that were given
    :param own: the only subarray that this controller is for, None if it is for any
    :raises ArgumentsError: if another subarray was given
    """
    require_own(function, given(signature, arguments), own)
    parameters = list(signature.parameters) if signature is not None else []
    if own is None or signature is None or PARAMETER not in parameters:
        return arguments
    place, args = parameters.index(PARAMETER), list(arguments.args)
    kind = signature.parameters[PARAMETER].kind
    if kind is not inspect.Parameter.KEYWORD_ONLY and place < len(args):
        args[place] = own
    elif kind is not inspect.Parameter.POSITIONAL_ONLY:
        return ProcedureInput(*args, **{**arguments.kwargs, PARAMETER: own})
    elif place == len(args):
        args.append(own)
    return ProcedureInput(*args, **arguments.kwargs)


def given(signature: inspect.Signature | None, arguments: ProcedureInput) -> Any:
    """Return the subarray that a call names, by keyword or by position; None if it names none.

    :param signature: signature of the function, None if that is not known
    :param arguments: arguments of the call
    """
    if PARAMETER in arguments.kwargs:
        return arguments.kwargs[PARAMETER]
    # This is asked several times for each procedure, and most calls have no arguments by position.
    if signature is None or not arguments.args or PARAMETER not in signature.parameters:
        return None
    try:
        return signature.bind_partial(*arguments.args, **arguments.kwargs).arguments.get(PARAMETER)
    except TypeError:  # they do not fit: the check of the signature reports that
        return None


def used(signatures: Signatures, calls: Mapping[str, ProcedureInput]) -> int | None:
    """Return the subarray that a script uses, None if that is not certain.

    The argument of ``main`` has precedence over that of ``init``, as in the scripts that ship. A default
    counts where no argument is given, unless it contradicts the value of the other function.

    :param signatures: signatures of ``init`` and ``main``, as far as they are known
    :param calls: arguments of ``init`` and ``main``, as far as they are known
    """
    of_main = _given(signatures, calls, "main")
    if of_main is not None:
        return _number(of_main)
    of_init = _given(signatures, calls, "init")
    defaults = [_default(signatures.get(function)) for function in ("init", "main")]
    candidates = {defaults[0] if of_init is None else _number(of_init), defaults[1]} - {None}
    return candidates.pop() if len(candidates) == 1 else None


def _given(signatures: Signatures, calls: Mapping[str, ProcedureInput], function: str) -> Any:
    return given(signatures.get(function), calls.get(function, ProcedureInput()))


def _default(signature: inspect.Signature | None) -> int | None:
    parameter = signature.parameters.get(PARAMETER) if signature is not None else None
    return _number(parameter.default) if parameter is not None else None


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
