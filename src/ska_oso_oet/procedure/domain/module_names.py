"""Resolution of the names in a script's annotations, from its text, without running it."""

import ast
import builtins
import dataclasses
import enum
import importlib
import types
import typing
from collections.abc import Sequence
from typing import Any, Final

import pydantic

from .annotations import UNKNOWN, Annotation, optional
from .syntax import parse_expression

_BUILTINS: Final = frozenset(
    {
        *("bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "object", "set", "str"),
        *("tuple", "classmethod", "property", "staticmethod"),
    }
)

_MODULES: Final = frozenset(
    {
        *("annotated_types", "collections.abc", "dataclasses", "datetime", "decimal", "enum", "pathlib"),
        *("pydantic", "typing", "typing_extensions", "uuid"),
    }
)
"""Modules whose names are looked up. Nothing else is imported for a script's text."""

_CALLED: Final = frozenset(
    {
        *("Field", "StringConstraints", "Ge", "Gt", "Le", "Lt", "Interval", "Len", "MinLen", "MaxLen"),
        *("MultipleOf", "Unit", "doc", "Doc"),
    }
)
"""Names that an annotation may call: they only describe."""

_OPEN_METHODS: Final = frozenset({"property", "classmethod", "staticmethod"})
_HOOKS: Final = frozenset({"__new__", "__init__", "__post_init__", "_missing_", "_generate_next_value_"})
_CONFIGURATION: Final = frozenset({"model_config", "_ignore_", "__pydantic_config__"})


class _UnknownError(Exception):
    """An expression cannot be evaluated from the text alone."""


class ModuleNames:
    """The names of a script's module, as far as its text defines their values.

    Classes of the script that only have fields (dataclasses, models of pydantic, enumerations) are created
    from their text.

    :param statements: the statements that bind names of the module
    :param bound: the names that each of them binds; ``*`` for a star import
    """

    def __init__(self, statements: Sequence[ast.stmt], bound: Sequence[set[str]]) -> None:
        self._statements: dict[str, ast.stmt | None] = {}
        self._is_open = any("*" in names for names in bound)
        for statement, names in zip(statements, bound, strict=True):
            for name in names:
                # The value of a name that is bound twice depends on the run of the script.
                self._statements[name] = None if name in self._statements else statement
        self._known: dict[str, Any] = {}

    def annotation(self, expression: ast.expr, *, may_be_none: bool = False) -> Annotation:
        """Return an annotation of a parameter.

        :param expression: its text, parsed
        :param may_be_none: whether the default of the parameter is None, which may be given then
        """
        is_text = isinstance(expression, ast.Constant) and isinstance(expression.value, str)
        try:
            text = expression.value if is_text else ast.unparse(expression)  # type: ignore[attr-defined]
        except RecursionError:
            return Annotation("…")
        kind = self.resolve(expression)
        return Annotation(text, optional(kind) if may_be_none else kind)

    def resolve(self, expression: ast.expr) -> Any:
        """Return the type that an annotation stands for, `UNKNOWN` if its text does not say that."""
        try:
            return self._value(expression)
        except Exception:  # not understood, or not valid, which is reported when the script is loaded
            return UNKNOWN

    def default(self, expression: ast.expr) -> Any:
        """Return the value of a default, `UNKNOWN` if its text does not say it."""
        try:
            return self._literal(expression)
        except Exception:  # not understood
            return UNKNOWN

    def _value(self, expression: ast.expr) -> Any:
        match expression:
            case ast.Constant(value=str(text)):
                return self._value(parse_expression(text.strip()))
            case ast.Constant(value=None):
                return None
            case ast.Name(id=name):
                return self._name(name)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(self._value(owner), name)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return typing.Union[self._value(left), self._value(right)]  # noqa: UP007  # made of values
            case ast.Subscript(value=generic, slice=inside):
                return self._subscript(self._value(generic), inside)
        raise _UnknownError

    def _subscript(self, generic: Any, inside: ast.expr) -> Any:
        parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
        if generic is typing.Literal:
            return generic[tuple(self._literal(part) for part in parts)]
        if generic is typing.Annotated:
            return generic[(self._value(parts[0]), *(self._metadata(part) for part in parts[1:]))]
        values = tuple(
            ... if isinstance(part, ast.Constant) and part.value is ... else self._value(part)
            for part in parts
        )
        return generic[values if isinstance(inside, ast.Tuple) else values[0]]

    def _metadata(self, expression: ast.expr) -> Any:
        """Return the metadata of an annotated type."""
        if not isinstance(expression, ast.Call):
            return self._literal(expression)
        called = self._value(expression.func)
        if getattr(called, "__name__", None) not in _CALLED:
            raise _UnknownError
        named = {str(keyword.arg): self._literal(keyword.value) for keyword in expression.keywords}
        return called(*map(self._literal, expression.args), **named)

    def _literal(self, expression: ast.expr) -> Any:
        """Return a constant, or a member of an enumeration."""
        if isinstance(expression, ast.Attribute):
            value = self._value(expression)
            if not isinstance(value, enum.Enum):
                raise _UnknownError
            return value
        if isinstance(expression, ast.Name):
            return self._constant(expression.id)
        return ast.literal_eval(expression)

    def _constant(self, name: str) -> Any:
        """Return the value of a constant of the module."""
        match self._statements.get(name):
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                return ast.literal_eval(value)
        raise _UnknownError

    def _name(self, name: str) -> Any:
        if name not in self._known:
            # Anything else that the name leads to while it is looked up is a class that refers to itself.
            self._known[name] = UNKNOWN
            self._known[name] = self._look_up(name)
        if self._known[name] is UNKNOWN:
            raise _UnknownError
        return self._known[name]

    def _look_up(self, name: str) -> Any:
        if name not in self._statements:
            if name in _BUILTINS and not self._is_open:
                return getattr(builtins, name)
            raise _UnknownError
        match self._statements[name]:
            case ast.Import(names=aliases):
                return _module(_imported(name, aliases))
            case ast.ImportFrom(module=str(module), names=aliases, level=0):
                return self._attribute(_module(module), _imported(name, aliases))
            case ast.ClassDef() as definition:
                return self._class(definition)
            case ast.Assign(targets=[ast.Name()], value=value) | ast.AnnAssign(value=ast.expr() as value):
                return self._value(value)
        raise _UnknownError

    @staticmethod
    def _attribute(owner: Any, name: str) -> Any:
        is_open = isinstance(owner, types.ModuleType) or (
            isinstance(owner, type) and issubclass(owner, enum.Enum) and name in owner.__members__
        )
        if not is_open or name.startswith("_"):
            raise _UnknownError
        return getattr(owner, name)

    # Classes of the script

    def _class(self, definition: ast.ClassDef) -> Any:
        bases = [self._value(base) for base in definition.bases]
        if definition.keywords or not all(_is_plain(statement) for statement in definition.body):
            raise _UnknownError
        doc = ast.get_docstring(definition)
        made = self._make(definition, bases)
        made.__doc__, made.__module__ = doc, __name__
        return made

    def _make(self, definition: ast.ClassDef, bases: list[Any]) -> Any:
        name = definition.name
        if definition.decorator_list:
            if bases or not self._is_dataclass(definition.decorator_list):
                raise _UnknownError
            fields = [
                (field, kind, dataclasses.field(default=default[0]) if default else dataclasses.field())
                for field, kind, default in self._fields(definition)
            ]
            return dataclasses.make_dataclass(name, fields, kw_only=True)
        if bases == [pydantic.BaseModel]:
            given: dict[str, Any] = {
                field: (kind, default[0] if default else ...)
                for field, kind, default in self._fields(definition)
            }
            return pydantic.create_model(name, **given)
        if any(isinstance(base, enum.EnumType) for base in bases):
            return _enumeration(name, bases, self._members(definition))
        raise _UnknownError

    def _is_dataclass(self, decorators: list[ast.expr]) -> bool:
        decorator = decorators[0].func if isinstance(decorators[0], ast.Call) else decorators[0]
        return len(decorators) == 1 and self._value(decorator) is dataclasses.dataclass

    def _fields(self, definition: ast.ClassDef) -> list[tuple[str, Any, list[Any]]]:
        """Return the fields of a class: name, type, and the default if there is one."""
        return [
            (statement.target.id, self._value(statement.annotation), self._field_default(statement.value))
            for statement in definition.body
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        ]

    def _field_default(self, expression: ast.expr | None) -> list[Any]:
        if expression is None:
            return []
        if isinstance(expression, ast.Call):
            raise _UnknownError
        value = self._literal(expression)
        if isinstance(value, list | dict | set):
            raise _UnknownError
        return [value]

    def _members(self, definition: ast.ClassDef) -> dict[str, Any]:
        return {
            target.id: self._member(statement.value)
            for statement in definition.body
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        }

    def _member(self, expression: ast.expr) -> Any:
        if isinstance(expression, ast.Call) and self._value(expression.func) is enum.auto:
            return enum.auto()
        return self._literal(expression)


def _enumeration(name: str, bases: list[Any], members: dict[str, Any]) -> type[enum.Enum]:
    def fill(namespace: Any) -> None:
        for member, value in members.items():
            namespace[member] = value

    made: type[enum.Enum] = types.new_class(name, tuple(bases), exec_body=fill)
    return made


def _is_plain(statement: ast.stmt) -> bool:
    """Return whether a part of a class does not change the values that its fields accept."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            decorators = [each.id for each in statement.decorator_list if isinstance(each, ast.Name)]
            plain = len(decorators) == len(statement.decorator_list) and _OPEN_METHODS.issuperset(decorators)
            return plain and statement.name not in _HOOKS and "pydantic" not in statement.name
        case ast.Assign(targets=targets):
            names = {target.id for target in targets if isinstance(target, ast.Name)}
            return len(names) == len(targets) and _CONFIGURATION.isdisjoint(names)
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name not in _CONFIGURATION
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
    return False


def _imported(name: str, aliases: list[ast.alias]) -> str:
    """Return the name that an import statement imports as another."""
    return next(alias.name for alias in aliases if (alias.asname or alias.name) == name)


def _module(name: str) -> types.ModuleType:
    if name not in _MODULES:
        raise _UnknownError
    return importlib.import_module(name)
