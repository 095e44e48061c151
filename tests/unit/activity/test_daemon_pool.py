"""Threads for what may take long."""

import threading
from functools import partial

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.activity.application.daemon_pool import DaemonPool


def test_one_thread_does_jobs_in_order() -> None:
    pool = DaemonPool("test", 1)
    done: list[int] = []
    last = threading.Event()
    for number in range(20):
        pool.submit(partial(done.append, number))
    pool.submit(last.set)
    assert last.wait(PATIENCE)
    assert done == list(range(20))
    pool.close(PATIENCE)


def test_a_job_that_hangs_holds_up_no_other() -> None:
    pool = DaemonPool("test", 3)
    release = threading.Event()
    for _ in range(2):
        pool.submit(release.wait)
    done = threading.Event()
    pool.submit(done.set)
    assert done.wait(PATIENCE)
    release.set()
    pool.close(PATIENCE)


def test_no_more_threads_than_allowed() -> None:
    pool = DaemonPool("test of the limit", 2)
    release = threading.Event()
    for _ in range(5):
        pool.submit(release.wait)
    assert sum(thread.name == "test of the limit" for thread in threading.enumerate()) == 2
    release.set()
    pool.close(PATIENCE)
    assert not any(thread.name == "test of the limit" for thread in threading.enumerate())


def test_a_job_that_fails_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    pool = DaemonPool("test", 1)
    done = threading.Event()
    pool.submit(lambda: 1 / 0)
    pool.submit(done.set)
    assert done.wait(PATIENCE)
    assert "ZeroDivisionError" in caplog.text
    pool.close(PATIENCE)


def test_after_the_end_nothing_is_done() -> None:
    pool = DaemonPool("test", 1)
    begun, release, late = threading.Event(), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait()

    pool.submit(hang)
    pool.submit(late.set)
    assert begun.wait(PATIENCE)
    pool.close(0.0)
    pool.submit(late.set)
    release.set()
    pool.close(PATIENCE)
    assert not late.is_set()
