"""Standby workers: kept in number, replaced when they die, and dispensable."""

import os
import signal
from collections.abc import Callable

import psutil
import pytest
from tests.support.leftovers import guardian
from tests.support.patience import PATIENCE
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools.posix import wait_until_gone
from ska_oso_oet.procedure.domain import ProcedureState


def standby_pids() -> list[int]:
    """Return the process IDs of all workers; while no script is there they are all on standby."""
    return [child.pid for child in psutil.Process(guardian()).children()]


def wait_for_standby(bench: ScriptBench, number: int) -> None:
    bench.wait_for(lambda: bench.manager.standby_workers == number)


@pytest.mark.parametrize("number", [1, 3])
def test_standby_workers_are_refilled(make_bench: Callable[..., ScriptBench], number: int) -> None:
    bench = make_bench(standby_workers=number)
    wait_for_standby(bench, number)
    assert len(standby_pids()) == number
    ids = [bench.ready(script()) for _ in range(number + 1)]
    wait_for_standby(bench, number)
    assert len(standby_pids()) == number + len(ids)


def test_without_standby_workers_scripts_run(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(standby_workers=0)
    bench.assert_works()
    ids = [bench.create(script()) for _ in range(4)]
    for procedure_id in ids:
        bench.wait_for_state(procedure_id, ProcedureState.READY)
    assert bench.manager.standby_workers == 0


def test_standby_worker_that_dies_is_replaced_again_and_again(bench: ScriptBench) -> None:
    victims: set[int] = set()
    for _ in range(3):
        bench.wait_for(lambda: set(standby_pids()) - victims and bench.manager.standby_workers == 1)
        [victim] = set(standby_pids()) - victims
        victims.add(victim)
        os.kill(victim, signal.SIGKILL)
    bench.wait_for(lambda: set(standby_pids()) - victims and bench.manager.standby_workers == 1)
    bench.assert_works()


def test_standby_worker_that_is_suspended_goes_on_when_it_is_used(bench: ScriptBench) -> None:
    wait_for_standby(bench, 1)
    os.kill(standby_pids()[0], signal.SIGSTOP)
    bench.assert_works()


def test_standby_worker_that_has_died_is_given_to_nobody(bench: ScriptBench) -> None:
    wait_for_standby(bench, 1)
    [victim] = standby_pids()
    os.kill(victim, signal.SIGKILL)
    wait_until_gone([victim], timeout=PATIENCE)
    bench.assert_works()
