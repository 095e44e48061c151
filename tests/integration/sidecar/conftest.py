"""A controller and a sidecar for all tests of this folder that do not end them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.support.leftovers import no_thread_or_child_left_behind
from tests.support.oet_stack import OetStack, Sidecar, oet_stack, sidecar
from tests.support.processes import ServerProcess


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("stack")) as place:
        yield place


@pytest.fixture(scope="package")
def controller(place: OetStack) -> Iterator[ServerProcess]:
    with place.controller() as process:
        yield process


@pytest.fixture(scope="package")
def stack(place: OetStack, controller: ServerProcess) -> OetStack:
    """The control system, once its controller runs."""
    return place


@pytest.fixture(scope="package")
def rest(stack: OetStack) -> Iterator[Sidecar]:
    with sidecar(stack.tango_host, "--allowed-host", "oet.example") as running:
        yield running


@pytest.fixture
def http(rest: Sidecar) -> httpx.Client:
    return rest.http


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[OetStack]:
    """A controller's place, for tests that start and end its server."""
    with oet_stack(tmp_path) as stack:
        yield stack


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    with no_thread_or_child_left_behind():
        yield
