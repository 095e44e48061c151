"""The whole of the OET, and the command that talks to it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.oet_command import OetCommand, OetInProcess
from tests.support.oet_stack import OetStack, Sidecar, oet_stack, sidecar
from tests.support.processes import ServerProcess

_SHIPPED_SCRIPTS = Path(sys.modules["ska_oso_oet"].__path__[0]) / "scripts"


@dataclass(frozen=True)
class FreshStack:
    """An ``oet-stack`` that has not run anything yet, so that IDs are those of the documentation.

    :ivar url: of its REST API
    :ivar folder: for scripts of a test, and for git repositories that it may use
    """

    url: str
    folder: Path

    def write(self, **scripts: str) -> None:
        """Write scripts.

        :param scripts: their texts, by name
        """
        for name, text in scripts.items():
            (self.folder / f"{name}.py").write_text(text)


@contextmanager
def _fresh_stack(folder: Path) -> Iterator[FreshStack]:
    scripts = folder / "scripts"
    scripts.mkdir()
    roots = ["--script-root", str(scripts), "--script-root", str(_SHIPPED_SCRIPTS)]
    options = ["--state-dir", str(folder / "state"), "--tango-port", "0", "--rest-port", "0"]
    git = ["--git-repository", f"{scripts.as_uri()}/*"]
    command = [sys.executable, "-m", "oet_devices.tools.stack", *options, *roots, *git]
    process = ServerProcess(command, {"ODA_BACKEND_TYPE": "", "ODA_DATA_DIR": ""})
    try:
        yield FreshStack(process.wait_for_output(r"OET ready: .* REST=(\S+)")[1], scripts)
    finally:
        process.stop(10.0)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[FreshStack]:
    with _fresh_stack(tmp_path) as stack:
        yield stack


@pytest.fixture(scope="package")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("stack")) as stack, stack.controller():
        yield stack


@pytest.fixture(scope="package")
def rest(place: OetStack) -> Iterator[Sidecar]:
    with sidecar(place.tango_host) as running:
        yield running


@pytest.fixture
def oet(rest: Sidecar) -> OetCommand:
    return OetCommand(rest.url)


@pytest.fixture
def invoke(rest: Sidecar) -> OetInProcess:
    return OetInProcess(rest.url)
