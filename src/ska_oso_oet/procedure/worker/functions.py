"""Calls of a script's functions of all kinds: plain, generators, coroutines."""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import aclosing
from functools import partial
from types import ModuleType
from typing import Any

from ska_oso_oet.interaction import checkpoint, checkpoint_async
from ska_oso_oet.model import ProcedureInput

from ..domain import annotations, script_context, script_text, signatures
from ..domain.errors import ScriptDefectiveError
from .loader import LoadedScript


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of a function with its annotations evaluated, None if it is not known."""
    try:
        return annotations.of_function(function)
    except Exception:  # there is none, or the script has replaced it by something unusable
        return None


def _signatures(module: ModuleType) -> dict[str, inspect.Signature | None]:
    """Return the signatures of the functions that a script has at present, by name."""
    return {
        name: signature_of(function)
        for name in signatures.FUNCTIONS
        if callable(function := getattr(module, name, None))
    }


def _to_json(found: Mapping[str, inspect.Signature | None]) -> dict[str, list[list[Any]] | None]:
    return {name: None if each is None else signatures.to_json(each) for name, each in found.items()}


def read_signatures(module: ModuleType) -> dict[str, list[list[Any]] | None]:
    """Return the signatures of the functions that a script has at present, by name; see `signatures.to_json`.

    :param module: the script
    """
    return _to_json(_signatures(module))


def settle(
    loaded: LoadedScript, name: str, given: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[list[Any]] | None]:
    """Check the arguments that are known before ``init`` is called, and return the signatures that are final.

    Those of main are checked too, unless init may bind another: otherwise init would run in vain.

    :param loaded: the script
    :param name: its name, for error messages
    :param given: arguments as JSON, by the function that they are for
    :returns: signatures by function, see `signatures.to_json`
    :raises ScriptDefectiveError: if the script has neither ``init`` nor ``main``
    :raises ArgumentsError: if arguments do not fit
    """
    functions = _signatures(loaded.module)
    script_text.require_function(functions.keys(), name)
    settled = {
        function: signature
        for function, signature in functions.items()
        if function == "init" or not script_text.may_be_rebound(function, loaded.code)
    }
    for function, arguments in given.items():
        if (signature := settled.get(function)) is not None:
            signatures.check(function, signature, ProcedureInput(*arguments["args"], **arguments["kwargs"]))
    return _to_json(settled)


def bind(
    module: ModuleType, name: str, arguments: ProcedureInput, context: Mapping[str, Any] | None = None
) -> Callable[[], Any]:
    """Return a call of the function that has a name at present, which `run` runs to its end.

    :param module: the script
    :param name: name of the function
    :param arguments: its arguments; those that its annotations convert are converted
    :param context: the context of all scripts, for a main that takes it
    :raises ScriptDefectiveError: if there is no such function
    :raises ArgumentsError: if the arguments do not fit it
    """
    function = getattr(module, name, None)
    if not callable(function):
        raise ScriptDefectiveError(f"the script has no function {name}(): define it, or have init() bind it")
    if (signature := signature_of(function)) is not None:
        arguments = signatures.check(name, signature, arguments)
        arguments = script_context.fill(name, signature, arguments, context or {})
    return partial(function, *arguments.args, **arguments.kwargs)


def call(module: ModuleType, name: str, arguments: ProcedureInput) -> Any:
    """Call the function that has a name at present, and return its result; see `bind` and `run`."""
    return run(bind(module, name, arguments))


def run(function: Callable[[], Any]) -> Any:
    """Call a function, and return its result.

    A coroutine or another awaitable is awaited. A generator, also an asynchronous one, is run to its end:
    each ``yield`` is a checkpoint, and the value that it returns is the result. An interruption closes it, so
    that its ``finally`` clauses run.

    :param function: the function
    :raises BaseException: any exception of the function
    """
    result = function()
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isawaitable(result):
        return asyncio.run(_await(result))
    if isinstance(result, AsyncGenerator):
        return asyncio.run(_exhaust(result))
    if isinstance(result, Generator):
        return _run_steps(result)
    return result


def _run_steps(generator: Generator[Any, Any, Any]) -> Any:
    try:
        while True:
            checkpoint(_label(next(generator)))
    except StopIteration as end:
        return end.value
    finally:
        generator.close()


async def _exhaust(generator: AsyncGenerator[Any, Any]) -> None:
    async with aclosing(generator):
        async for value in generator:
            await checkpoint_async(_label(value))


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _label(value: Any) -> str | None:
    """Return the label of a checkpoint that a ``yield`` is: its value, if that is a text or a number."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) else None
