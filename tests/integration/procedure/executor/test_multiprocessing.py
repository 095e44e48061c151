"""Processes that a script starts find its functions and classes, as under ``python script.py``."""

import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.support.script_bench import ScriptBench

from ska_oso_oet.procedure.domain import ProcedureInput, ProcedureState

POOLS = """
import multiprocessing as mp
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

@dataclass
class Beam:
    number: int

class PointingError(Exception):
    pass

def doubled(beam):
    return Beam(2 * beam.number)

def fail(_):
    raise PointingError("off source")

def main(method):
    context = mp if method == "default" else mp.get_context(method)
    beams = [Beam(1), Beam(2)]
    with context.Pool(2) as pool:
        print(pool.map(doubled, beams))
        try:
            pool.map(fail, beams)
        except PointingError as error:
            print("caught", error)
    with ProcessPoolExecutor(2, mp_context=None if method == "default" else context) as pool:
        print(list(pool.map(doubled, beams)))
    print(mp.current_process().name, mp.parent_process(), mp.get_start_method())

if __name__ == "__main__":
    raise SystemExit("this block is not for the OET")
"""


def run(bench: ScriptBench, source: str | Path, *arguments: str) -> list[str]:
    """Run a script, and return what it has written."""
    text = textwrap.dedent(source) if isinstance(source, str) else source
    procedure_id = bench.ready(text)
    bench.start(procedure_id, ProcedureInput(*arguments))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    return bench.lines(procedure_id)


@pytest.mark.parametrize("embedded", [False, True], ids=["file", "embedded"])
@pytest.mark.parametrize("method", ["default", "fork", "spawn", "forkserver"])
def test_functions_and_classes_are_found_in_children(
    patient_bench: ScriptBench, tmp_path: Path, method: str, embedded: bool
) -> None:
    file = tmp_path / "pools.py"
    file.write_text(POOLS)
    lines = run(patient_bench, POOLS if embedded else file, method)
    doubled = "[Beam(number=2), Beam(number=4)]"
    assert lines == [doubled, "caught off source", doubled, "MainProcess None fork"]


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_script_chooses_the_start_method(patient_bench: ScriptBench, method: str) -> None:
    lines = run(
        patient_bench,
        f"""
        import multiprocessing as mp

        def work(queue, lock):
            with lock:
                queue.put("worked")

        def main():
            mp.set_start_method("{method}")
            queue, lock = mp.Queue(), mp.Lock()
            process = mp.Process(target=work, args=(queue, lock))
            process.start()
            print(queue.get(), mp.get_start_method())
            process.join()
            print(process.exitcode)
        """,
    )
    assert lines == [f"worked {method}", "0"]


def test_the_forkserver_of_a_script_is_its_own(patient_bench: ScriptBench) -> None:
    lines = run(
        patient_bench,
        """
        import multiprocessing as mp, os, sys

        def look(queue):
            queue.put(("tango" in sys.modules, os.getppid(), mp.parent_process().pid))

        def main():
            context = mp.get_context("forkserver")
            queue = context.Queue()
            process = context.Process(target=look, args=(queue,))
            process.start()
            preloaded, forkserver, parent = queue.get()
            process.join()
            print(preloaded, forkserver == os.getppid(), parent == os.getpid())
        """,
    )
    assert lines == ["False False True"]


@pytest.mark.skipif(find_spec("joblib") is None, reason="joblib is not installed")
def test_joblib(patient_bench: ScriptBench, tmp_path: Path) -> None:
    file = tmp_path / "parallel.py"
    file.write_text(
        textwrap.dedent("""
        import functools
        from joblib import Parallel, delayed

        def traced(function):
            @functools.wraps(function)
            def wrapper(*args):
                return function(*args)
            return wrapper

        class Beam:
            def __init__(self, number):
                self.number = number

        @traced
        def doubled(beam):
            return Beam(2 * beam.number)

        def main():
            print([beam.number for beam in Parallel(n_jobs=2)(delayed(doubled)(Beam(n)) for n in range(4))])
        """)
    )
    assert run(patient_bench, file) == ["[0, 2, 4, 6]"]


def test_a_device_in_a_process_of_its_own(patient_bench: ScriptBench, tmp_path: Path) -> None:
    file = tmp_path / "with_device.py"
    file.write_text(
        textwrap.dedent("""
        from tango.server import Device, attribute
        from tango.test_context import DeviceTestContext

        class Dish(Device):
            @attribute(dtype=float)
            def elevation(self):
                return 45.0

        def main():
            with DeviceTestContext(Dish, process=True) as proxy:
                print(proxy.elevation)
        """)
    )
    assert run(patient_bench, file)[-1] == "45.0"
