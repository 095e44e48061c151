"""The forkserver ends with its server, at whatever moment, and not before."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE

_PROJECT = Path(__file__).parents[3]

# A forkserver does not import from the folder that its server is started in.
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(_PROJECT)}

_SERVER = """
from ska_oso_oet.mptools import EventMessage, MainContext, QueueProcWorker, forkserver_context

context = MainContext(forkserver_context(["tests.support.slow_import"]))
context.start("worker", QueueProcWorker, context.make_queue())
"""


def test_a_forkserver_that_still_imports_dies_with_its_server() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], env=_ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout as output:
        assert output.readline() == "importing\n"
        server.kill()
        server.wait()
        # The end of file: nobody is left who could write.
        assert output.read() == ""


_MAKES_CHILDREN = """
import os, pathlib, socket
from multiprocessing import forkserver
from ska_oso_oet.mptools import MainContext, QueueProcWorker, StartupError, forkserver_context

refusing = pathlib.Path(os.environ["OET_TEST_REFUSE_FORK"])

with MainContext(forkserver_context(["tests.support.refused_fork"])) as context:
    def make():
        return context.start("worker", QueueProcWorker, context.make_queue())

    first = make()
    {trouble}
    assert first.is_alive(), "its forkserver has ended"
    assert make().is_alive()
"""


def _run(trouble: str, tmp_path: Path) -> None:
    """Have a server make children, with some trouble between the first and the second."""
    subprocess.run(
        [sys.executable, "-c", _MAKES_CHILDREN.format(trouble=trouble.replace("\n", "\n    "))],
        env={**_ENVIRONMENT, "OET_TEST_REFUSE_FORK": str(tmp_path / "refuse")},
        timeout=PATIENCE,
        check=True,
    )


def test_a_forkserver_outlives_that_the_system_refuses_it_a_child(tmp_path: Path) -> None:
    _run(
        """
refusing.touch()
for _ in range(3):
    try:
        make()
    except StartupError as error:
        assert "the system refuses a process" in str(error), error
    else:
        raise AssertionError("nobody has refused it")
refusing.unlink()
""",
        tmp_path,
    )


def test_a_forkserver_outlives_a_request_that_is_given_up(tmp_path: Path) -> None:
    _run(
        """
with socket.socket(socket.AF_UNIX) as client:
    client.connect(forkserver._forkserver._forkserver_address)
""",
        tmp_path,
    )
