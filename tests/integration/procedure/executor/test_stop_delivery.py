"""A stop reaches a script, wherever the signal falls, and interrupts no clean-up."""

import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from tests.support.patience import PATIENCE, patience
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.domain import ProcedureState

TOP = """
import asyncio, contextlib, gc, time, weakref

async def busy():
    while True:
        time.sleep(0.05)
        await asyncio.sleep(0)

async def quiet():
    try:
        say("up")
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(0.01)
        print("stowed")

async def with_busy_task():
    task = asyncio.create_task(busy())
    await quiet()

async def with_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(busy())
        group.create_task(quiet())

def again():
    time.sleep(0.02)
    asyncio.get_running_loop().call_soon(again)

async def with_busy_callbacks():
    asyncio.get_running_loop().call_soon(again)
    await quiet()

async def blocking():
    try:
        say("up")
        time.sleep(100)
    finally:
        print("stowed")

async def swallows():
    for _ in range(2):
        try:
            await quiet()
        except asyncio.CancelledError:
            pass
    await asyncio.sleep(100)

class Loud:
    def __del__(self):
        say("up")
        time.sleep(0.5)

def collected(*_):
    gc.callbacks.clear()
    say("up")
    time.sleep(0.5)

def guarded(function):
    try:
        function()
        wait()
    finally:
        print("stowed")

def forever(loop):
    try:
        loop.create_task(with_busy_task())
        loop.run_forever()
    finally:
        loop.close()
"""

REACHED = {
    "a busy task": "asyncio.run(with_busy_task())",
    "a task group": "asyncio.run(with_group())",
    "busy callbacks": "asyncio.run(with_busy_callbacks())",
    "a task that blocks the loop": "asyncio.run(blocking())",
    "a loop of the script's own": "asyncio.new_event_loop().run_until_complete(with_busy_task())",
    "a loop that runs forever": "forever(asyncio.new_event_loop())",
    "a task that swallows its cancellation": "asyncio.run(swallows())",
    "__del__": "guarded(Loud)",
    "a callback of the garbage collector": "guarded(lambda: (gc.callbacks.append(collected), gc.collect()))",
    "a callback of a weak reference": "guarded(lambda: weakref.ref(Loud.__new__(Loud), collected))",
}


@pytest.mark.parametrize("where", REACHED)
def test_a_stop_reaches_the_script(patient_bench: ScriptBench, where: str) -> None:
    assert_stowed(patient_bench, script(REACHED[where], top=TOP))


@pytest.mark.skipif(find_spec("uvloop") is None, reason="uvloop is not installed")
@pytest.mark.parametrize("what", ["with_busy_task", "with_group", "with_busy_callbacks", "quiet"])
def test_a_stop_reaches_uvloop(patient_bench: ScriptBench, what: str) -> None:
    assert_stowed(patient_bench, script(f"import uvloop; uvloop.run({what}())", top=TOP))


def assert_stowed(bench: ScriptBench, source: str) -> None:
    """Run a script until it says that it is up, stop it, and check that it has cleaned up."""
    procedure_id = bench.run_until_said(source)
    began = time.monotonic()
    bench.stop(procedure_id)
    assert time.monotonic() - began < patience(3)
    assert bench.states(procedure_id)[-1] == "STOPPED"
    assert "stowed" in bench.lines(procedure_id)


def test_a_stop_that_is_swallowed_is_sent_again(patient_bench: ScriptBench) -> None:
    procedure_id = patient_bench.run_until_said(
        script("""
            caught = 0
            while caught < 2:
                try:
                    say("up")
                    wait()
                except BaseException:
                    caught += 1
            print("given up")
        """)
    )
    patient_bench.stop(procedure_id)
    assert patient_bench.lines(procedure_id) == ["given up"]


@pytest.mark.parametrize("kind", ["plain", "asyncio"])
def test_clean_up_is_not_interrupted_by_the_same_stop(patient_bench: ScriptBench, kind: str) -> None:
    plain = """
        try:
            say("up")
            wait()
        finally:
            time.sleep(0.3)
            print("stowed")
    """
    source = script(
        plain if kind == "plain" else "asyncio.run(slow())",
        top=TOP
        + """
async def slow():
    try:
        say("up")
        await asyncio.sleep(100)
    finally:
        await asyncio.sleep(0.3)
        print("stowed")
""",
    )
    procedure_id = patient_bench.run_until_said(source)
    patient_bench.stop(procedure_id)
    assert patient_bench.lines(procedure_id) == ["stowed"]


def test_a_handler_of_the_scripts_own_is_called_once(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(stop_grace_period=patience(6.0))
    procedure_id = bench.run_until_said(
        script(
            """
            done = threading.Event()
            signal.signal(signal.SIGTERM, lambda *_: (print("asked to stop"), time.sleep(0.45), done.set()))
            say("up")
            while not done.wait(0.05):
                pass
        """,
            top="import time",
        )
    )
    bench.stop(procedure_id)
    assert bench.lines(procedure_id) == ["asked to stop"]
    assert bench.service.summary(procedure_id).state is ProcedureState.STOPPED


_STOPS_BY_A_SIGNAL = """
import os, signal, threading, time
from ska_oso_oet.procedure.worker import stopping

stopping._PERIOD = 3600.0

def interrupt(*_):
    raise KeyboardInterrupt

def request(stop):
    time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    stop.request()

for _ in range(50):
    stop = stopping.Stop(interrupt)
    signal.signal(signal.SIGTERM, lambda number, frame: stop.handle(None, KeyboardInterrupt, number, frame))
    stop.install()
    try:
        thread = threading.Thread(target=request, args=(stop,), daemon=True)
        thread.start()
        time.sleep(3600)
    except KeyboardInterrupt:
        pass
    thread.join()
os._exit(0)
"""


def test_the_first_signal_wakes_the_script() -> None:
    # A stop must not have to wait for its repetition, a fifth of a second later.
    subprocess.run([sys.executable, "-c", _STOPS_BY_A_SIGNAL], check=True, timeout=PATIENCE)
