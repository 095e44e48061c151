"""Pools of threads that several users share."""

import threading

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.mptools.thread_pool import SharedPool

NAME = "test of shared pools"


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith(NAME)}


def test_users_of_one_name_share_threads_that_end_with_the_last() -> None:
    first, second = SharedPool(2, NAME), SharedPool(2, NAME)
    shared = threads()
    assert len(shared) == 2
    first.shutdown()
    first.shutdown()
    assert threads() == shared
    assert second.submit(lambda: threading.current_thread().name).result(PATIENCE) in shared
    second.shutdown()
    assert not threads()


def test_what_was_submitted_before_the_last_use_has_ended_is_done() -> None:
    goes_on = threading.Event()
    pool = SharedPool(1, NAME)
    pool.submit(goes_on.wait, PATIENCE)
    last = pool.submit(lambda: "done")
    pool.shutdown(wait=False)
    goes_on.set()
    assert last.result(PATIENCE) == "done"


def test_a_pool_that_has_ended_is_made_again() -> None:
    SharedPool(1, NAME).shutdown()
    again = SharedPool(1, NAME)
    assert again.submit(int).result(PATIENCE) == 0
    again.shutdown()
    with pytest.raises(RuntimeError):
        again.submit(int)
