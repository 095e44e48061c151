"""Questions of a script to its operator."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import link

if TYPE_CHECKING:
    from ska_oso_oet.model import QuestionRequest

_TYPES: dict[type, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def ask(
    text: str,
    *,
    choices: Sequence[Any] | None = None,
    type: type | None = None,  # noqa: A002  # the name that authors expect
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    default: Any = None,
    timeout: float | None = None,
) -> Any:
    """Ask the operator, and wait for the answer.

    Any thread of the script's own process may ask; questions are shown in the order in which they were asked.
    Outside of the OET the question is asked on the terminal.

    :param text: the question, e.g. ``"Dish 012 stowed?"``
    :param choices: the only answers; texts, numbers or truth values
    :param type: type of the answer: ``str``, ``int``, ``float`` or ``bool``; by default that of the choices,
        else ``str``
    :param unit: unit of a number, e.g. ``"deg"``
    :param minimum: least number
    :param maximum: greatest number
    :param default: the answer if nobody gives one in time; offered to the operator
    :param timeout: seconds to wait; None for any time
    :returns: the answer, checked, of the type
    :raises TimeoutError: if nobody has answered in time, and there is no default
    :raises ValueError: if the question cannot be answered, e.g. because its default is beyond its limits
    :raises RuntimeError: if there is no operator to ask: in a child process, or without a terminal
    :raises TerminateInterrupt: if the script is stopped while it waits
    """
    request = _request(text, choices, type, unit, minimum, maximum, default, timeout)
    if (oet := link.connected) is None:
        from ._terminal import ask_on_terminal

        return ask_on_terminal(request)
    pending = oet.ask(request)
    try:
        return pending.result()
    except BaseException:
        pending.withdraw()
        raise


async def ask_async(
    text: str,
    *,
    choices: Sequence[Any] | None = None,
    type: type | None = None,  # noqa: A002  # the name that authors expect
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    default: Any = None,
    timeout: float | None = None,  # the OET measures it
) -> Any:
    """Ask the operator, and wait for the answer without blocking the event loop; see `ask`."""
    request = _request(text, choices, type, unit, minimum, maximum, default, timeout)
    if (oet := link.connected) is None:
        from ._terminal import ask_on_terminal

        return await asyncio.to_thread(ask_on_terminal, request)
    pending = oet.ask(request)
    try:
        return await pending.result_async()
    except BaseException:
        pending.withdraw()
        raise


def _request(
    text: str,
    choices: Sequence[Any] | None,
    kind: type | None,
    unit: str,
    minimum: float | None,
    maximum: float | None,
    default: Any,
    timeout: float | None,
) -> "QuestionRequest":
    """Return a question, once it is checked that it can be answered.

    :raises ValueError: if it cannot
    """
    # Imported late: importing this package must not delay a script.
    from pydantic import ValidationError

    from ska_oso_oet.model import QuestionRequest, explain

    chosen = kind or _type_of(choices)
    if chosen not in _TYPES:
        raise ValueError(f"the type of an answer is str, int, float or bool, and not {chosen!r}")
    try:
        return QuestionRequest.model_validate(
            {
                "text": text,
                "type": _TYPES[chosen],
                "choices": None if choices is None else list(choices),
                "unit": unit,
                "minimum": minimum,
                "maximum": maximum,
                "default": default,
                "timeout": timeout,
            }
        )
    except ValidationError as error:
        raise ValueError(f"the question cannot be asked: {explain(error)}") from None


def _type_of(choices: Sequence[Any] | None) -> type:
    """Return the common type of all choices; text if there are none."""
    kinds = {type(choice) for choice in choices or ()}
    if len(kinds) == 1:
        return kinds.pop()
    return float if kinds == {int, float} else str
