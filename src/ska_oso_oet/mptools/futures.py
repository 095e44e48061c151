"""Futures that cannot be cancelled."""

from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def irrevocable_future() -> "Future[T]":
    """Return a future that cannot be cancelled: the thread that sets its result never finds it cancelled."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    return future
