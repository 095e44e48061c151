"""Functions that are called at a planned time."""

import threading
import time

from tests.support.patience import PATIENCE

from oet_devices.ska.expiry import Expiry

NAME = "test of expiries"


def threads() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def test_several_share_a_thread_that_ends_with_the_last() -> None:
    called = threading.Event()
    first, second = Expiry(lambda: None, NAME), Expiry(called.set, NAME)
    assert threads() == 1
    first.plan(time.monotonic() + 3600)
    second.plan(time.monotonic())
    assert called.wait(PATIENCE)
    first.close()
    assert threads() == 1
    second.close()
    second.close()
    assert threads() == 0


def test_one_that_fails_is_logged_and_keeps_no_other_from_its_time() -> None:
    called = threading.Event()

    def fail() -> None:
        raise LookupError

    failing, other = Expiry(fail, NAME), Expiry(called.set, NAME)
    try:
        now = time.monotonic()
        failing.plan(now)
        other.plan(now + 0.01)
        assert called.wait(PATIENCE)
    finally:
        failing.close()
        other.close()


def test_close_waits_for_a_call_and_plans_no_other() -> None:
    calling, goes_on = threading.Event(), threading.Event()
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        calling.set()
        goes_on.wait(PATIENCE)

    expiry = Expiry(call, NAME)
    expiry.plan(time.monotonic())
    assert calling.wait(PATIENCE)
    closing = threading.Thread(target=expiry.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()
    goes_on.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    expiry.plan(time.monotonic())
    assert len(calls) == 1
    assert threads() == 0
