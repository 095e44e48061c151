"""Commands and code in tutorials, how-to pages and README do what the pages say."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.documented_blocks import blocks_of
from tests.support.documented_session import Session
from tests.support.documented_stack import Stack
from tests.support.oet_command import OetInProcess
from tests.support.processes import ServerProcess
from tests.support.site import PROJECT
from tests.support.tango_stack import database

PAGES = [
    PROJECT / "README.md",
    *sorted((PROJECT / "docs" / "tutorials").glob("*.md")),
    *sorted((PROJECT / "docs" / "how-to").glob("*.md")),
    PROJECT / "docs" / "security.md",
]
SHARING = [page for page in PAGES if "<!-- test: shared stack" in page.read_text()]
"""Pages that have a controller of the shared stack each, so that their numbers begin with 1."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack with a controller for each page that shares it."""
    options = ["--tango-port=0", "--rest-port=0", f"--state-dir={tmp_path_factory.mktemp('state')}"]
    command = [sys.executable, "-m", "oet_devices.tools.stack", f"--subarrays={len(SHARING)}", *options]
    process = ServerProcess(command, {"ODA_BACKEND_TYPE": "", "ODA_DATA_DIR": ""})
    try:
        stack = Stack.find(process.wait_for_output("OET ready: .*")[0])
        assert stack is not None
        yield stack
    finally:
        process.stop(10.0)


@pytest.fixture
def stack(request: pytest.FixtureRequest, page: Path, tmp_path: Path) -> Stack | None:
    """A controller with the properties that the command of the page would set."""
    if page not in SHARING:
        return None
    shared: Stack = request.getfixturevalue("shared")
    controller = shared.controller(SHARING.index(page) + 1)
    connection = database(controller.tango)
    connection.delete_device_property(controller.device, "SubarrayId")
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    if "--script-root=scripts" in page.read_text():
        connection.put_device_property(controller.device, {"ScriptRoots": [str(scripts)]})
    OetInProcess(f"{controller.root}/api/v1.0")("reset")
    return controller


@pytest.fixture
def session(stack: Stack | None, tmp_path: Path) -> Iterator[Session]:
    with closing(Session(tmp_path, stack)) as session:
        yield session


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_does_what_it_says(page: Path, session: Session) -> None:
    for block in blocks_of(page):
        if block.is_executed:
            session.follow(block)
