"""Fixtures and settings of all tests."""

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import preloaded_programs
from tests.support.patience import patience


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give each test the time that it may take on this machine, and programs a SIGINT that has an effect."""
    # A shell has its background jobs ignore it, as would the programs that they start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.option.timeout is None:
        config.option.timeout = patience(float(config.getini("timeout")))


def pytest_collection_finish() -> None:
    """Record the environment in which tests start programs: modules that they import have changed it."""
    preloaded_programs.know_environment()


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for temporary files whose name is short: paths of sockets in it may have 107 bytes."""
    tmp_path_factory.getbasetemp()  # else pytest makes its own within this one, if a test has it as TMPDIR
    with tempfile.TemporaryDirectory(prefix="oet-") as folder:
        yield Path(folder)
