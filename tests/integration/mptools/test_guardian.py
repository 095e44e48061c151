"""The forkserver ends with its server, at whatever moment."""

import subprocess
import sys
from pathlib import Path

_PROJECT = Path(__file__).parents[3]

_SERVER = """
from ska_oso_oet.mptools import EventMessage, MainContext, QueueProcWorker, forkserver_context

context = MainContext(forkserver_context(["tests.support.slow_import"]))
context.Proc("worker", QueueProcWorker, context.MPQueue())
"""


def test_a_forkserver_that_still_imports_dies_with_its_server() -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER], cwd=_PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    with server.stdout as output:
        assert output.readline() == "importing\n"
        server.kill()
        server.wait()
        # The end of file: nobody is left who could write.
        assert output.read() == ""
