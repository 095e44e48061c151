"""Signatures of a script's functions: read without running it, told by its worker, held against arguments."""

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator, Set
from types import CodeType
from typing import Any, NamedTuple

from .errors import ArgumentsDoNotFit, ScriptDefective
from .scripts import ProcedureInput

_DEFAULT = object()
"""Stands for the default of a parameter: that there is one matters, not which."""

_PARAMETER_KINDS = {kind.name: kind for kind in inspect._ParameterKind}  # noqa: SLF001


_BINDERS = frozenset({"globals", "exec"})
"""What can bind a name of a module by a text that is made while it runs."""


class Outline(NamedTuple):
    """What a script's text tells of a function: whether it is there, and its signature if that is certain."""

    defined: bool
    signature: inspect.Signature | None


def check(function: str, signature: inspect.Signature, arguments: ProcedureInput) -> None:
    """Hold arguments against the signature of a function.

    :raises ArgumentsDoNotFit: naming the parameter, if they do not fit
    """
    try:
        signature.bind(*arguments.args, **arguments.kwargs)
    except TypeError as error:
        raise ArgumentsDoNotFit(
            f"the arguments of {function}() do not fit: {error}; "
            f"the script defines {function}{_show(signature)}"
        ) from None


def _show(signature: inspect.Signature) -> str:
    """Write a signature as a script does, defaults abbreviated."""
    return str(signature).replace(f"={_DEFAULT!r}", "=…").replace(f" = {_DEFAULT!r}", "=…")


# As JSON, from the worker that has loaded the script


def to_json(function: Callable[..., Any]) -> list[list[Any]] | None:
    """Return the parameters of a function as ``[name, kind, has default]``, None if it does not tell them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[p.name, p.kind.name, p.default is not inspect.Parameter.empty] for p in parameters]


def from_json(parameters: list[list[Any]]) -> inspect.Signature:
    """Return the signature that `to_json` has told."""
    return inspect.Signature(
        [
            inspect.Parameter(
                name, _PARAMETER_KINDS[kind], default=_DEFAULT if has_default else inspect.Parameter.empty
            )
            for name, kind, has_default in parameters
        ]
    )


# From the text of a script, before it runs


def read_outline(source: str | bytes, name: str) -> dict[str, Outline]:
    """Read what a script says of its functions ``init`` and ``main``, without running it.

    :param source: Python source
    :param name: name of the script, for the error message
    :raises ScriptDefective: if it is no Python, or certainly has no ``main``
    """
    text = _parse(source, name)
    statements = list(_top_level(text.tree.body))
    bound = [_bound_names(statement) for statement in statements]
    outline = {function: _outline(function, statements, bound, text) for function in ("init", "main")}
    if not outline["main"].defined:
        raise ScriptDefective(f"{name} has no function main(): define what is to run as main()")
    return outline


class _Text(NamedTuple):
    """The text of a script, as a tree and compiled."""

    tree: ast.Module
    code: CodeType


def _parse(source: str | bytes, name: str) -> _Text:
    try:
        tree = ast.parse(source, name)
        # Much of what is no valid Python, such as a return outside a function, only the compiler finds.
        code: CodeType = compile(tree, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        where, reason = (f" in line {error.lineno}" if error.lineno else ""), error.msg
    except ValueError as error:
        where, reason = "", str(error)
    except (RecursionError, MemoryError):
        where, reason = "", "it is too deeply nested"
    else:
        return _Text(tree, code)
    raise ScriptDefective(f"{name} is no valid Python{where}: {reason}; mend the script")


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that bind names of the module, also those within ``if``, ``try`` and the like."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for child in ast.iter_child_nodes(statement):
                if isinstance(child, ast.stmt):
                    yield from _top_level([child])
                elif isinstance(child, ast.ExceptHandler | ast.match_case):
                    yield from _top_level(child.body)


def _outline(function: str, statements: list[ast.stmt], bound: list[set[str]], text: _Text) -> Outline:
    binding = [index for index, names in enumerate(bound) if function in names]
    star = max((index for index, names in enumerate(bound) if "*" in names), default=-1)
    hidden = _may_be_bound_out_of_sight(function, text)
    if len(binding) == 1 and binding[0] > star and not hidden:
        definition = statements[binding[0]]
        # A decorator may give the function another signature.
        if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef) and not definition.decorator_list:
            return Outline(True, _signature(definition.args))
    looked_up = any("__getattr__" in names for names in bound)
    return Outline(bool(binding) or star >= 0 or hidden or looked_up, None)


def _may_be_bound_out_of_sight(function: str, text: _Text) -> bool:
    """Return whether a name of the module may be bound by other than the module's own statements."""
    # The compiler has listed what is used: to go through the whole tree takes as long as to parse it.
    if not _mentions(text.code, _BINDERS) and not any(
        _mentions(inner, {function}) for inner in _inner_code(text.code)
    ):
        return False
    return any(
        (isinstance(node, ast.Global) and function in node.names)
        or (isinstance(node, ast.Name) and node.id in _BINDERS)
        for node in ast.walk(text.tree)
    )


def _mentions(code: CodeType, names: Set[str]) -> bool:
    """Return whether compiled code, or code within it, uses one of some names."""
    used = (*code.co_names, *code.co_varnames, *code.co_cellvars)
    return not names.isdisjoint(used) or any(_mentions(inner, names) for inner in _inner_code(code))


def _inner_code(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of the functions and classes that are defined in some code."""
    return (constant for constant in code.co_consts if isinstance(constant, CodeType))


def _bound_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement itself binds; ``*`` for a star import."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    nodes = [
        node
        for child in ast.iter_child_nodes(statement)
        if not isinstance(child, ast.stmt)
        for node in ast.walk(child)
    ]
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    captured = {node.name for node in nodes if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name}
    return assigned | captured


def _signature(arguments: ast.arguments) -> inspect.Signature:
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    told: list[list[Any]] = [
        [
            argument.arg,
            "POSITIONAL_ONLY" if index < len(arguments.posonlyargs) else "POSITIONAL_OR_KEYWORD",
            index >= first_default,
        ]
        for index, argument in enumerate(positional)
    ]
    if arguments.vararg:
        told.append([arguments.vararg.arg, "VAR_POSITIONAL", False])
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        told.append([argument.arg, "KEYWORD_ONLY", default is not None])
    if arguments.kwarg:
        told.append([arguments.kwarg.arg, "VAR_KEYWORD", False])
    return from_json(told)
