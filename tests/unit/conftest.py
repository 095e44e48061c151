"""Guard of unit tests: they start no process, and open no connection."""

import errno
import multiprocessing.util
import os
import socket
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_REFUSED: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (os, ("execv", "execve", "fork", "forkpty", "posix_spawn", "posix_spawnp", "system")),
    (multiprocessing.util, ("spawnv_passfds",)),
    (subprocess.Popen, ("__init__",)),
    (socket.socket, ("bind", "connect", "connect_ex", "sendto")),
)
"""Calls that start a process or open a connection.

They are replaced, since a hook for audit events would stay in the process: with it, CPython 3.11 refuses the
trace function of a thread that starts beside another, and that thread ends before its work begins.
"""


@contextmanager
def _guarded() -> Iterator[None]:
    refused: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        for owner, names in _REFUSED:
            for name in names:
                patch.setattr(owner, name, _refusal(owner, name, refused))
        yield
    # A thread, or an except clause of what is tested, may have swallowed the error.
    assert not refused, f"a unit test starts no process and opens no connection: {'; '.join(refused)}"


def _refusal(owner: Any, name: str, refused: list[str]) -> Callable[..., None]:
    shown = slice(1, 3) if isinstance(owner, type) else slice(2)  # not the object of a method

    def refuse(*args: object, **_: object) -> None:
        what = f"{owner.__name__}.{name}{args[shown]}"
        refused.append(what)
        raise PermissionError(errno.EPERM, f"{what}: a unit test starts no process and opens no connection")

    return refuse


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
