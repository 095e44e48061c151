"""Signals to workers ask first and insist when they are repeated."""

import os
import signal
from multiprocessing.connection import wait

from tests.support.patience import PATIENCE
from tests.support.workers import Echo, Reluctant, SignalsElsewhere

from ska_oso_oet.mptools import MainContext


def test_one_sigterm_ends_a_worker_that_heeds_the_shutdown_event() -> None:
    with MainContext() as main:
        worker = main.start("echo", Echo, main.make_queue())
        os.kill(worker.pid, signal.SIGTERM)
        assert wait([worker.sentinel], PATIENCE)
        assert worker.exitcode == 0


def test_a_sigterm_that_another_thread_gets_ends_a_worker() -> None:
    with MainContext() as main:
        inbox = main.make_queue()
        worker = main.start("elsewhere", SignalsElsewhere, inbox)
        inbox.put(signal.SIGTERM)
        assert wait([worker.sentinel], PATIENCE)
        assert worker.exitcode == 0


def test_repeated_sigterm_ends_a_worker_that_does_not() -> None:
    with MainContext() as main:
        worker = main.start("reluctant", Reluctant)
        for _ in range(2):
            os.kill(worker.pid, signal.SIGTERM)
            # Signals of one kind that wait are one: wait until this one has been seen.
            assert main.shutdown_event.wait(PATIENCE)
            main.shutdown_event.clear()
        assert worker.is_alive()
        os.kill(worker.pid, signal.SIGTERM)
        assert wait([worker.sentinel], PATIENCE)
        assert worker.exitcode == 128 + signal.SIGTERM
