"""Script execution with real processes. A test that leaves anything behind fails."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.leftovers import end_forkserver, nothing_left_behind, start_marked_forkserver
from tests.support.patience import patience
from tests.support.script_bench import ScriptBench, script_bench

PRELOAD = (
    "numpy",
    "tango",
    "ska_oso_oet.procedure.worker.script_worker",
    "ska_oso_oet.procedure.worker.packages",
)


@pytest.fixture(scope="package")
def mark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What all processes that descend from this one's forkserver are known by.

    Temporary files go to a folder that nobody else uses, so that each can be accounted for. Its name is
    short: sockets are in it, whose paths may have 107 bytes.
    """
    tmp_path_factory.getbasetemp()  # else pytest makes its own within this one
    with tempfile.TemporaryDirectory(prefix="oet-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        try:
            yield start_marked_forkserver(PRELOAD)
        finally:
            end_forkserver()


@pytest.fixture(autouse=True)
def _clean(mark: str) -> Iterator[None]:
    with nothing_left_behind(mark):
        yield


@pytest.fixture
def make_bench(tmp_path: Path, _clean: None) -> Iterator[Callable[..., ScriptBench]]:
    """Make services with settings of the test's choice; all are closed at its end."""
    with ExitStack() as stack:

        def make(**settings: Any) -> ScriptBench:
            return stack.enter_context(script_bench(tmp_path / "state", **settings))

        yield make


@pytest.fixture
def bench(make_bench: Callable[..., ScriptBench]) -> ScriptBench:
    """A service with one standby worker, a short grace period, and no watchdog."""
    return make_bench()


@pytest.fixture
def patient_bench(make_bench: Callable[..., ScriptBench]) -> ScriptBench:
    """A service whose grace period is long enough for whatever ends by itself, also on a slow machine."""
    return make_bench(stop_grace_period=patience(6.0))
