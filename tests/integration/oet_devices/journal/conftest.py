"""Controllers with a state directory of their own, and journals that can be made to fail."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.journal.support import PostgresServer
from tests.support.controller_site import ControllerSite
from tests.support.tango_stack import tango_database

ACTOR = Path(__file__).parents[3] / "crash" / "scripts" / "actor.py"
"""A script that plays many parts."""

_numbers = itertools.count(1)

RegisterController = Callable[..., ControllerSite]


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database of its own."""
    with tango_database(tmp_path_factory.mktemp("tango")) as host:
        yield host


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state directory of the controllers of a test."""
    return tmp_path / "state"


@pytest.fixture
def register_controller(tango_host: str, state: Path) -> RegisterController:
    """Register a controller; further properties are given as keyword arguments."""

    def register(directory: Path = state, **properties: str) -> ControllerSite:
        given = {"ScriptRoots": str(ACTOR.parent), **properties}
        texts = {name: [value] for name, value in given.items()}
        return ControllerSite(tango_host, f"test/journal/{next(_numbers)}", directory, texts)

    return register


@pytest.fixture
def controller(register_controller: RegisterController) -> ControllerSite:
    """A controller as it is by default."""
    return register_controller()


@pytest.fixture(scope="module")
def postgres_server() -> Iterator[PostgresServer]:
    """A server of PostgreSQL; a test that stops it starts it again."""
    server = PostgresServer()
    yield server
    server.remove()
