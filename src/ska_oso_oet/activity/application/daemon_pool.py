"""Threads for jobs that may take long."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable

LOGGER = logging.getLogger(__name__)

Job = Callable[[], object]


class DaemonPool:
    """Pool of daemon threads, created on demand, that never keep the process from ending.

    A ThreadPoolExecutor would delay the end of the server until its jobs have ended, which may be never.

    :param name: name of the threads
    :param size: how many there may be; with one, jobs are done in order
    """

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._changed = threading.Condition()
        self._jobs: deque[Job] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._closed = False

    def submit(self, job: Job) -> None:
        """Submit a job. After `close`, jobs are ignored.

        :param job: what to do; if it raises, that is logged
        """
        with self._changed:
            if self._closed:
                return
            self._jobs.append(job)
            if self._idle < len(self._jobs) and len(self._threads) < self._size:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def close(self, timeout: float) -> None:
        """Drop jobs that wait, and end the threads.

        :param timeout: seconds to wait for jobs in progress; those that take longer end with the process
        """
        with self._changed:
            self._closed = True
            self._jobs.clear()
            self._changed.notify_all()
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                LOGGER.exception("A job of %s failed", self._name)

    def _next(self) -> Job | None:
        """Wait for a job; None if there will be none."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._jobs or self._closed)
            self._idle -= 1
            return None if self._closed else self._jobs.popleft()
