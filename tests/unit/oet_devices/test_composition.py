"""The controller is made of few classes and many objects, none of which reads what is private to another."""

import ast
from collections.abc import Iterator
from pathlib import Path

import oet_devices
from oet_devices.controller import OETController
from ska_oso_oet.procedure.domain.syntax import parse_module

_FOLDER = Path(oet_devices.__path__[0])


def test_the_classes_of_the_controller() -> None:
    ours = [cls for cls in OETController.__mro__ if cls.__module__.startswith("oet_devices.")]
    assert [cls.__name__ for cls in ours] == ["OETController", "SkaBaseDevice", "EventDevice"]


def _borrowed(source: str) -> Iterator[str]:
    """Yield each private name that a class uses of itself, although it does not define it."""
    classes = (node for node in ast.walk(parse_module(source, "source.py")) if isinstance(node, ast.ClassDef))
    for cls in classes:
        own = {node.name for node in cls.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        used: set[str] = set()
        for node in ast.walk(cls):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "self":
                (own if isinstance(node.ctx, ast.Store) else used).add(node.attr)
        private = {name for name in used if name.startswith("_") and not name.startswith("__")}
        yield from (f"{cls.name}.{name}" for name in sorted(private - own))


def test_no_class_uses_a_private_name_of_its_base_class() -> None:
    # Those of other objects are found by ruff.
    assert list(_borrowed("class A:\n def f(self): return self._x")) == ["A._x"]
    found = {
        str(path.relative_to(_FOLDER)): names
        for path in _FOLDER.rglob("*.py")
        if (names := list(_borrowed(path.read_text())))
    }
    assert found == {}


def test_no_object_asks_whether_it_has_an_attribute() -> None:
    asking = [path.name for path in _FOLDER.rglob("*.py") if "self.__dict__" in path.read_text()]
    assert asking == []
