"""Conversion of a child into a main process, in which a user's program may use multiprocessing as usual."""

import itertools
import multiprocessing.context
import multiprocessing.process
import os
from multiprocessing import forkserver, reduction, resource_tracker
from typing import Any

from . import posix

# The standard library has no public names for what is reset here.
# ruff: noqa: SLF001


_LOOK = os.WEXITED | os.WNOHANG | os.WNOWAIT


class _MainProcess(multiprocessing.process.BaseProcess):
    """The result of `multiprocessing.current_process` in a program's first process."""

    def __init__(self) -> None:
        self._identity = ()
        self._name = "MainProcess"
        self._parent_pid = None
        self._popen = None
        self._closed = False
        # The prefix is for the names of semaphores.
        key = multiprocessing.process.AuthenticationString(os.urandom(32))  # type: ignore[attr-defined]
        self._config = {"authkey": key, "semprefix": "/mp"}

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def become_main_process() -> None:
    """Let this process forget that multiprocessing has started it, and by which forkserver.

    Its start method is Python's default again, and can be set; its own forkserver will be a clean one.
    """
    process: Any = multiprocessing.process
    process._current_process = _MainProcess()
    process._parent_process = None
    process._process_counter = itertools.count(1)
    process._children = set()
    process.ORIGINAL_DIR = None
    context: Any = multiprocessing.context
    context._default_context._actual_context = None
    server: Any = forkserver._forkserver
    server._forkserver_address = None
    server._forkserver_pid = None
    server._inherited_fds = None
    server._preload_modules = ["__main__"]
    _forget_tracker()
    forkserver.os = os  # type: ignore[attr-defined]
    forkserver.reduction = reduction  # type: ignore[attr-defined]


def _forget_tracker() -> None:
    """Let what this process leaves, shared memory for example, be removed at its end, not at the server's."""
    tracker: Any = resource_tracker._resource_tracker
    if tracker._fd is not None:
        os.close(tracker._fd)
        tracker._fd = tracker._pid = None


def stop_helpers(timeout: float) -> None:
    """End the forkserver and the resource tracker that this process has started, if it has.

    The tracker removes what was left, and says so on standard error.

    :param timeout: seconds to wait for each; the tracker waits for processes that use what it tracks
    """
    server: Any = forkserver._forkserver
    if _is_child(server._forkserver_pid):
        os.close(server._forkserver_alive_fd)
        posix.wait_until_gone([server._forkserver_pid], timeout)
        server._forkserver_alive_fd = server._forkserver_pid = server._forkserver_address = None
    tracker: Any = resource_tracker._resource_tracker
    if _is_child(tracker._pid):
        os.close(tracker._fd)
        posix.wait_until_gone([tracker._pid], timeout)
        tracker._fd = tracker._pid = None


def _is_child(pid: int | None) -> bool:
    """Return whether a process is a child of this one; after a fork it may be the parent's."""
    try:
        return pid is not None and os.waitid(os.P_PID, pid, _LOOK) is None
    except ChildProcessError:
        return False
