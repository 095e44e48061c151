"""A pytest plugin for authors of scripts: the fixture ``oet`` runs a script against a simulated telescope.

The fixture is available wherever this package is installed. A test calls the functions of the script, reads
the events that it has published, and the commands that it has sent to the telescope::

    def test_one_scan(oet):
        script = oet.load("observe_target.py")
        script.init(subarray_id=2)
        script.main("Polaris", scans=1)
        assert oet.subarray(2).command_names[-1] == "ReleaseResources"
        assert "scan.lifecycle.end.succeeded" in oet.topics
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ._bench import ScriptBench


@pytest.fixture
def oet(monkeypatch: pytest.MonkeyPatch) -> "Iterator[ScriptBench]":
    """Scripts, the events that they publish, and a simulated telescope that their commands go to."""
    # Imported late: pytest loads this plugin for all tests, of which few need it.
    from ._bench import ScriptBench

    bench = ScriptBench(monkeypatch)
    yield bench
    bench.close()
