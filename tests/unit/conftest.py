"""Guard of unit tests: they start no process, and open no connection."""

import errno
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_REFUSED_EVENTS = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "pty.spawn",
        "socket.bind",
        "socket.connect",
        "socket.sendto",
        "subprocess.Popen",
    }
)
"""Audit events. multiprocessing's forkserver is found by the socket that it binds, and is connected to by."""

_refused: list[str] | None = None
"""Refused calls of the present test; None between tests."""


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _refused is not None and event in _REFUSED_EVENTS:
        what = f"{event}{args[:2]}"
        _refused.append(what)
        raise PermissionError(errno.EPERM, f"{what}: a unit test starts no process and opens no connection")


sys.addaudithook(_audit)


@contextmanager
def _guarded() -> Iterator[None]:
    global _refused
    _refused = []
    try:
        yield
        # A thread, or an except clause of what is tested, may have swallowed the error.
        assert not _refused, f"a unit test starts no process and opens no connection: {'; '.join(_refused)}"
    finally:
        _refused = None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Guard the fixtures of a test."""
    with _guarded():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Guard the test itself."""
    with _guarded():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None, object, object]:
    """Guard what ends a test."""
    with _guarded():
        return (yield)
