"""Requests to the forkserver that cannot be met: they must not end the forkserver, and with it every child.

The forkserver of the standard library ends when the system refuses it a process, and when its server breaks
off a request because descriptors run out. It ignores a connection that was aborted: so such requests are
converted to aborted connections.
"""

import errno
import os
from multiprocessing import forkserver, reduction
from types import ModuleType
from typing import Any

# Descriptors of the newest request.
_descriptors: list[int] = []


class _Substitute(ModuleType):
    """A module with some functions replaced.

    :param original: the module
    :param functions: those that differ
    """

    def __init__(self, original: ModuleType, **functions: Any) -> None:
        super().__init__(original.__name__)
        self.__dict__.update(functions)
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def pass_over_failures() -> None:
    """Keep this forkserver alive when it cannot meet a request: the connection is closed."""
    # Only for the module that serves: children have the original functions.
    forkserver.os = _Substitute(os, fork=_fork)  # type: ignore[attr-defined]
    forkserver.reduction = _Substitute(reduction, recvfds=_receive)  # type: ignore[attr-defined]


def _receive(*args: Any) -> list[int]:
    try:
        _descriptors[:] = reduction.recvfds(*args)
    except (OSError, EOFError, RuntimeError) as error:
        raise _aborted() from error
    return list(_descriptors)


def _fork() -> int:
    try:
        return os.fork()
    except OSError as error:
        # The client waits until no process has its end of the connection open.
        for descriptor in _descriptors:
            os.close(descriptor)
        raise _aborted() from error


def _aborted() -> OSError:
    return OSError(errno.ECONNABORTED, "the request for a child cannot be met")
