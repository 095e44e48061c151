"""Analysis of the text of a script: its functions, before the script runs."""

import ast
import dis
import inspect
from collections.abc import Iterable, Iterator, Set
from types import CodeType
from typing import Any, NamedTuple

from .annotations import UNKNOWN
from .defaults import Default, shown, shown_expression
from .errors import ScriptDefectiveError
from .module_names import ModuleNames
from .signatures import FUNCTIONS
from .source import compile_script
from .syntax import parse_module

_BINDERS = frozenset({"globals", "exec", "eval", "modules", "__main__", "__globals__", "f_globals"})
"""Names that can bind a name of a module while the script runs: functions, modules, attributes."""

_FRAME_BINDERS = frozenset({"locals", "vars"})
"""Names that can do so at the top level of a module."""


class Outline(NamedTuple):
    """Outline of a function from the script's text: whether it exists, and its signature if certain."""

    defined: bool
    signature: inspect.Signature | None


class ScriptText:
    """The text of a script, parsed.

    :param source: Python source
    :param name: name of the script, for error messages
    :raises ScriptDefectiveError: if it is not valid Python
    """

    def __init__(self, source: str | bytes, name: str) -> None:
        self._name = name
        self._code = compile_script(source, name, name)
        self._tree: ast.Module | None = None
        try:
            self._tree = parse_module(source, name)
        except (RecursionError, MemoryError):
            # It can be compiled, and is too deeply nested for a tree: loading it shows what it defines.
            return
        self._statements = list(_top_level(self._tree.body))
        walrus = (":=" if isinstance(source, str) else b":=") in source  # type: ignore[operator]
        self._bound = [_bound_names(statement, walrus) for statement in self._statements]
        self.names = ModuleNames(self._statements, self._bound)

    def outlines(self) -> dict[str, Outline]:
        """Return the outlines of the functions ``init`` and ``main``.

        :raises ScriptDefectiveError: if the script certainly has neither
        """
        outlines = {function: self._outline(function) for function in FUNCTIONS}
        require_function({function for function in FUNCTIONS if outlines[function].defined}, self._name)
        return outlines

    @property
    def doc(self) -> str | None:
        """The docstring of the script."""
        return None if self._tree is None else ast.get_docstring(self._tree)

    def definition(self, function: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """Return the last definition of a function, None if it is bound in another way."""
        if self._tree is None:
            return None
        found = [
            each
            for each in self._statements
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name == function
        ]
        return found[-1] if found else None

    def _outline(self, function: str) -> Outline:
        if self._tree is None:
            return Outline(True, None)
        binding = [index for index, names in enumerate(self._bound) if function in names]
        star = max((index for index, names in enumerate(self._bound) if "*" in names), default=-1)
        hidden = may_be_rebound(function, self._code)
        if len(binding) == 1 and binding[0] > star and not hidden:
            definition = self._statements[binding[0]]
            if isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef) and definition.name == function:
                # A decorator may give the function another signature.
                signature = None if definition.decorator_list else signature_of(definition.args, self.names)
                return Outline(True, signature)
        looked_up = any("__getattr__" in names for names in self._bound)
        return Outline(bool(binding) or star >= 0 or hidden or looked_up, None)


def require_function(defined: Set[str], name: str) -> None:
    """Check that there is something to run: ``main``, or an ``init`` that may bind it.

    :param defined: names of the functions that a script defines
    :param name: name of the script, for the error message
    :raises ScriptDefectiveError: if there is neither
    """
    if defined.isdisjoint(FUNCTIONS):
        raise ScriptDefectiveError(f"{name} has no function main(): define what is to run as main()")


def may_be_rebound(function: str, code: CodeType) -> bool:
    """Return whether a script may bind a name of its module by other than the module's own statements.

    :param function: the name
    :param code: the compiled script
    """
    # The compiler has listed the names in use: a walk through the whole tree takes as long as parsing.
    if not _FRAME_BINDERS.isdisjoint(code.co_names):
        return True
    return any(
        not _BINDERS.isdisjoint(inner.co_names)
        or (inner is not code and function in inner.co_names and _binds_global(inner, function))
        for inner in _all_code(code)
    )


def _binds_global(code: CodeType, name: str) -> bool:
    return any(
        step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") and step.argval == name
        for step in dis.get_instructions(code)
    )


def _all_code(code: CodeType) -> Iterator[CodeType]:
    """Yield compiled code, and the code of all functions and classes that are defined in it."""
    waiting = [code]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += [constant for constant in one.co_consts if isinstance(constant, CodeType)]


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that bind names of the module, also those within ``if``, ``try`` and the like."""
    # Not recursive: each `elif` is within the `else` of the one before.
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            blocks = [
                child
                for child in ast.iter_child_nodes(node)
                if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)
            ]
            waiting += reversed(blocks)


def _bound_names(statement: ast.stmt, walrus: bool) -> set[str]:
    """Return the names that a statement itself binds; ``*`` for a star import.

    :param statement: the statement
    :param walrus: whether expressions may bind names
    """
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    within = [child for child in ast.iter_child_nodes(statement) if not isinstance(child, ast.stmt)]
    # A walk through a table would take longer than all other steps.
    nodes = [node for child in (within if walrus else _targets(statement)) for node in ast.walk(child)]
    assigned = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    captured = {node.name for node in nodes if isinstance(node, ast.MatchAs | ast.MatchStar) and node.name}
    caught = {child.name for child in within if isinstance(child, ast.ExceptHandler) and child.name}
    names = assigned | captured | caught
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        names.add(statement.name)
    return names


def _targets(statement: ast.stmt) -> Iterable[ast.AST]:
    """Return the parts of a statement in which it names what it binds."""
    match statement:
        case ast.Assign():
            return statement.targets
        case ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.AsyncFor():
            return [statement.target]
        case ast.With() | ast.AsyncWith():
            return [item.optional_vars for item in statement.items if item.optional_vars is not None]
        case ast.Match():
            return [case.pattern for case in statement.cases]
    return []


def signature_of(arguments: ast.arguments, names: ModuleNames) -> inspect.Signature:
    """Return the signature that a definition has, as far as its text alone says it."""
    positional = [*arguments.posonlyargs, *arguments.args]
    first_default = len(positional) - len(arguments.defaults)
    defaults = [*[None] * first_default, *arguments.defaults]
    kinds: list[inspect._ParameterKind] = [inspect.Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs)
    kinds += [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)
    parts: list[tuple[ast.arg | None, inspect._ParameterKind, ast.expr | None]] = [
        *zip(positional, kinds, defaults, strict=True),
        (arguments.vararg, inspect.Parameter.VAR_POSITIONAL, None),
        *(
            (argument, inspect.Parameter.KEYWORD_ONLY, default)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        ),
        (arguments.kwarg, inspect.Parameter.VAR_KEYWORD, None),
    ]
    return inspect.Signature(
        [_parameter(argument, kind, default, names) for argument, kind, default in parts if argument]
    )


def _parameter(
    argument: ast.arg, kind: inspect._ParameterKind, default: ast.expr | None, names: ModuleNames
) -> inspect.Parameter:
    value: Any = inspect.Parameter.empty
    if default is not None:
        value = default.value if isinstance(default, ast.Constant) else _default(default, names)
    annotation: Any = inspect.Parameter.empty
    if argument.annotation is not None:
        may_be_none = isinstance(default, ast.Constant) and default.value is None
        annotation = names.annotation(argument.annotation, may_be_none=may_be_none)
    return inspect.Parameter(argument.arg, kind, default=value, annotation=annotation)


def _default(expression: ast.expr, names: ModuleNames) -> Default:
    value = names.default(expression)
    return Default(shown_expression(expression) if value is UNKNOWN else shown(value))
