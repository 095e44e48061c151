"""Pools of threads that are started before they are needed."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import ClassVar, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def full_pool(size: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of threads that all run already: later, the system cannot refuse one.

    :param size: number of threads
    :param name: what the names of the threads begin with
    :raises RuntimeError: if the system grants no more threads
    """
    pool = ThreadPoolExecutor(size, thread_name_prefix=name)
    # A thread is started when none is free: so each waits until all are there.
    all_run = threading.Barrier(size)
    try:
        for _ in range(size):
            pool.submit(all_run.wait)
    except RuntimeError:
        all_run.abort()
        pool.shutdown()
        raise
    return pool


class SharedPool(Executor):
    """A pool of threads that its users in this process share by its name.

    It is for work that never takes long. Its threads run from the first use to the end of the last one.

    :param size: number of threads
    :param name: of the pool, and what the names of the threads begin with
    :raises RuntimeError: if the system grants no more threads
    """

    _lock = threading.Lock()
    _pools: ClassVar[dict[str, ThreadPoolExecutor]] = {}
    _users: ClassVar[dict[str, int]] = {}

    def __init__(self, size: int, name: str) -> None:
        self._name = name
        self._in_use = True
        with self._lock:
            if name not in self._pools:
                self._pools[name] = full_pool(size, name)
            self._users[name] = self._users.get(name, 0) + 1
            self._pool = self._pools[name]

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Submit a function to the pool."""
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the use of the pool. The threads end with the last use, once what they are doing is done.

        :param wait: whether to wait for that
        :param cancel_futures: whether to cancel what has not begun by the end of the last use
        """
        with self._lock:
            if not self._in_use:
                return
            self._in_use = False
            self._users[self._name] -= 1
            if self._users[self._name]:
                return
            del self._users[self._name], self._pools[self._name]
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
