"""The forkserver that children come from, and the end of its influence on a child.

The forkserver is a process without threads that has imported what its children need; forking it takes
milliseconds where starting Python takes hundreds. It is also the guardian of its children: every orphan among
their descendants becomes its child (it is a subreaper). It ends as soon as its server has ended, in any way,
and then kills all that is left below it.
"""

import atexit
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from . import fork_requests, memory_shortage, posix, self_pipes, strays, suspension

_GUARDIAN = "ska_oso_oet.mptools.guardian"
_PRELOADED = "ska_oso_oet.mptools.preloaded"
_SAFE_PATH, _SET_HERE = "PYTHONSAFEPATH", "oet-forkserver"
# Seconds between a process's descriptors being closed and its end.
_SERVER_EXIT_TIME = 0.5
# Seconds that a resource tracker has to remove what processes have left.
_TRACKER_TIME = 1.0
# More than are open at the same time while a child is started.
_DESCRIPTORS_OF_START = 16

# Guards the set below, and the time between a fork and its result being known.
_lock = threading.Lock()
_started: set[int] = set()

# Known to the forkserver, and so to its children.
_self_pipes: list[self_pipes.SelfPipe] = []


def forkserver_context(preload: Sequence[str] = ()) -> BaseContext:
    """Return a multiprocessing context whose children come from the forkserver.

    :param preload: names of modules that the forkserver imports once, for all children. There is one
        forkserver in a process: what counts is the list at the time when its first child is started.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_GUARDIAN, *preload, _PRELOADED])
    return context


def start(process: BaseProcess) -> None:
    """Start a child.

    The main module of this process is hidden from it meanwhile, because multiprocessing would make the child
    import it: a whole device server, or a test runner, in every worker.
    """
    with _lock:
        suspension.undo_suspensions(guardian_pid())
        _require_descriptors()
        strays.mark_descendants()
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            with _safe_path():
                _start(process)
        finally:
            sys.modules["__main__"] = main
        if process.pid is not None:
            _started.add(process.pid)
        # It may be another one than before.
        suspension.undo_suspensions(guardian_pid())


@contextmanager
def _safe_path() -> Iterator[None]:
    """Keep a forkserver that is started meanwhile from importing what is in the current folder."""
    if sys.flags.safe_path or _SAFE_PATH in os.environ:
        # It is given the same.
        yield
        return
    # Not in `os.environ`: another thread that copies that meanwhile would fail.
    os.putenv(_SAFE_PATH, _SET_HERE)
    try:
        yield
    finally:
        os.unsetenv(_SAFE_PATH)


def _require_descriptors() -> None:
    """Check that there are enough descriptors for a start: one that fails half-way leaves some open.

    :raises OSError: if there are too few
    """
    with ExitStack() as opened:
        for _ in range(_DESCRIPTORS_OF_START):
            opened.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def _start(process: BaseProcess) -> None:
    try:
        process.start()
    except (EOFError, ConnectionError):
        # The forkserver was ended from outside a moment ago: once that can be seen, another one is started.
        # Or it was refused a process, and may get one now.
        if (guardian := guardian_pid()) is not None:
            posix.wait_until_gone([guardian], _SERVER_EXIT_TIME)
        process.start()


def forget(ended: int) -> bool:
    """Forget a child that has ended, if it has left no process behind. Takes microseconds, and never waits.

    :param ended: process ID of the child
    :returns: whether it is certain that it has left none; otherwise `kill_orphans` must be called
    """
    if not _lock.acquire(blocking=False):
        return False
    try:
        guardian = guardian_pid()
        if guardian is None or posix.is_gone(guardian) or not posix.is_gone(ended):
            return False
        if not _started.issuperset(posix.children(guardian)):
            return False
        _started.discard(ended)
        return True
    finally:
        _lock.release()


def kill_orphans(ended: int, timeout: float = 2.0) -> None:
    """Kill what a child that has ended left behind, also what left its process group or session.

    Returns when all of that has ended, so that it has no effects afterwards.

    :param ended: process ID of the child
    :param timeout: seconds after which a process that cannot be killed, because it waits for a device, is
        left alone
    """
    deadline = time.monotonic() + timeout
    posix.wait_until_gone([ended], _SERVER_EXIT_TIME)
    orphans = _orphans()
    _let_trackers_end(orphans)
    posix.kill_group(ended)
    # Where the forkserver is what has ended, its child is about to.
    posix.wait_until_gone([ended], timeout)
    with _lock:
        _started.discard(ended)
    # In a loop: a process may fork before it is killed, and the children of one that was killed are orphans
    # in turn.
    while orphans and time.monotonic() < deadline:
        for orphan in orphans:
            posix.send_signal(orphan, signal.SIGKILL)
        posix.wait_until_gone(orphans, deadline - time.monotonic())
        orphans = _orphans()


def _let_trackers_end(orphans: Sequence[int]) -> None:
    """Let the resource trackers among orphans remove what the others leave, which are killed."""
    trackers = [pid for pid in orphans if posix.is_tracker(pid)]
    if trackers:
        for pid in orphans:
            if pid not in trackers:
                posix.kill_tree(pid)
        posix.wait_until_gone(trackers, _TRACKER_TIME)


def _orphans() -> list[int]:
    """Return those children of the guardian that were not started as its children.

    As long as a child lives, its descendants belong to it; then, those that are left belong to the guardian.
    """
    with _lock:
        guardian = guardian_pid()
        return [pid for pid in posix.children(guardian) if pid not in _started] if guardian else []


def guardian_pid() -> int | None:
    """Return the process ID of the forkserver, None if there is none."""
    # The standard library has no public name for it.
    pid: int | None = getattr(forkserver._forkserver, "_forkserver_pid", None)  # noqa: SLF001
    return pid


def settle_child() -> None:
    """Called first of all in a child: make it a leader of its own that ends with its server."""
    posix.die_with_parent()
    memory_shortage.be_first_victim()
    posix.become_subreaper()
    os.setsid()
    for pipe in _self_pipes:
        self_pipes.renew(pipe)
    # Through this descriptor, children would keep the forkserver alive for their own children. But it must
    # end when the server does, because the kernel ends the children then.
    server: Any = forkserver._forkserver  # noqa: SLF001
    if (alive_fd := getattr(server, "_forkserver_alive_fd", None)) is not None:
        os.close(alive_fd)
        server._forkserver_alive_fd = None  # noqa: SLF001
    # A script may use multiprocessing itself: so this process must not count as a daemon, which may not have
    # children.
    multiprocessing.current_process().daemon = False


def guard() -> None:
    """Make this process, a forkserver, the guardian of its descendants.

    :raises SystemExit: if its server has ended already
    """
    me, server = os.getpid(), os.getppid()
    # Scripts get this variable only if a user has set it.
    if os.environ.get(_SAFE_PATH) == _SET_HERE:
        del os.environ[_SAFE_PATH]
    # A Ctrl-C, or the end of a terminal, is for the server: it ends its workers in order.
    os.setsid()
    posix.become_subreaper()
    # Imports may take a second, in which the end of the server is not noticed.
    posix.die_with_parent()
    if strays.has_lost_its_server():
        raise SystemExit(1)
    fork_requests.pass_over_failures()
    signal.signal(signal.SIGTERM, _end)
    # It reaps orphans, which multiprocessing does not expect of it.
    warnings.filterwarnings("ignore", message="forkserver: waitpid returned unexpected pid")
    # Children never run this: they leave by `os._exit`, but a forked interpreter inherits the registration.
    atexit.register(lambda: _clean_up(server) if os.getpid() == me else None)


def all_is_imported() -> None:
    """Let the forkserver outlive the thread that has started it: a pipe signals the server's end from now on.

    If it were killed with it, no process would kill the descendants.
    """
    _self_pipes[:] = self_pipes.find()
    posix.outlive_parent()


def _end(signal_number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def _clean_up(server: int) -> None:
    _kill_descendants()
    # Of a server that was killed, the socket by which it spoke to this process is still there.
    posix.wait_until_gone([server], _SERVER_EXIT_TIME)
    address: str | None = getattr(forkserver._forkserver, "_forkserver_address", None)  # noqa: SLF001
    if os.getppid() != server and address:
        with suppress(OSError):
            os.unlink(address)
            os.rmdir(os.path.dirname(address))
    # Finalizing the interpreter would take long, and is not needed.
    os._exit(0)


def _kill_descendants() -> None:
    """Kill until no process is left: a process may fork while the list of processes is read."""
    me = os.getpid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    while family := posix.descendants(me):
        for pid in family:
            posix.send_signal(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
