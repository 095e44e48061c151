"""A controller for all tests of this folder that do not end its server."""

from collections.abc import Iterator

import pytest
from tests.support.leftovers import no_thread_or_child_left_behind
from tests.support.oet_stack import OetStack, oet_stack
from tests.support.processes import ServerProcess


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("stack")) as place:
        yield place


@pytest.fixture(scope="package")
def controller(place: OetStack) -> Iterator[ServerProcess]:
    with place.controller() as process:
        yield process


@pytest.fixture
def stack(place: OetStack, controller: ServerProcess) -> OetStack:
    """The control system, once its controller runs."""
    return place


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    with no_thread_or_child_left_behind():
        yield
