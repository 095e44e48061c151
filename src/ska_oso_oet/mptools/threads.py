"""Threads that are there before they are needed."""

import threading
from concurrent.futures import ThreadPoolExecutor


def full_pool(size: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of threads that all run already: whoever needs one is never refused it by the system.

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
