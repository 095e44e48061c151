"""The end of a script is that of a Python program, and comes before the end of its procedure."""

import gzip
import time
import zipfile
from pathlib import Path

import pytest
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.domain import ProcedureState

ENDS = {
    "return": ("pass", ProcedureState.COMPLETE),
    "raise": ("raise LookupError('lost')", ProcedureState.FAILED),
    "exit": ("sys.exit()", ProcedureState.COMPLETE),
    "exit with a status": ("sys.exit(3)", ProcedureState.FAILED),
    "stop": ("say('up'); wait()", ProcedureState.STOPPED),
}


def end(bench: ScriptBench, source: str | Path, state: ProcedureState) -> int:
    """Run a script to its end, which is to be in a state."""
    procedure_id = bench.run(source)
    if state is ProcedureState.STOPPED:
        bench.wait_for(lambda: "up" in bench.said(procedure_id))
        bench.stop(procedure_id)
    summary = bench.wait_for_end(procedure_id)
    assert summary.state is state, summary.history.stacktrace
    return procedure_id


@pytest.mark.parametrize("how", ENDS)
def test_all_that_python_does_at_its_end_is_done(
    patient_bench: ScriptBench, tmp_path: Path, how: str
) -> None:
    last, state = ENDS[how]
    source = script(
        f"""
        global kept, scratch, archive, packed
        os.chdir({str(tmp_path)!r})
        kept = open("kept.txt", "w")
        kept.write("of a global")
        local = open("local.txt", "w")
        local.write("of a local")
        packed = gzip.open("packed.gz", "wt")
        packed.write("packed")
        archive = zipfile.ZipFile("archive.zip", "w")
        archive.writestr("member", "zipped")
        helper.begin()
        cycle = [open("cycle.txt", "w")]
        cycle.append(cycle)
        cycle[0].write("of a cycle")
        scratch = tempfile.TemporaryDirectory(dir=".", prefix="scratch")
        atexit.register(leave, "atexit")
        threading._register_atexit(leave, "threading")
        weakref.finalize(kept, leave, "finalize")
        threading.Thread(target=lambda: (time.sleep(0.1), leave("thread"))).start()
        pool = concurrent.futures.ThreadPoolExecutor(1)
        for number in range(3):
            pool.submit(lambda number=number: (time.sleep(0.02), leave(f"job{{number}}")))
        {last}
        """,
        top=f"""
        import atexit, concurrent.futures, gzip, sys, tempfile, time, weakref, zipfile
        sys.path.insert(0, {str(tmp_path)!r})
        import helper_of_end as helper

        class Recorder:
            def __del__(self):
                leave("deleted")

        recorder = Recorder()

        def leave(name):
            with open(os.path.join({str(tmp_path)!r}, name), "w") as file:
                file.write("done")
        """,
    )
    (tmp_path / "helper_of_end.py").write_text(
        "def begin():\n    global log\n    log = open('helper.txt', 'w')\n    log.write('of a helper')\n"
    )
    end(patient_bench, source, state)
    done = {"atexit", "threading", "finalize", "thread", "job0", "job1", "job2", "deleted"}
    assert {name for name in done if not (tmp_path / name).exists()} == set()
    assert not list(tmp_path.glob("scratch*"))
    written = {"kept": "of a global", "local": "of a local", "helper": "of a helper", "cycle": "of a cycle"}
    assert {name: (tmp_path / f"{name}.txt").read_text() for name in written} == written
    assert gzip.decompress((tmp_path / "packed.gz").read_bytes()) == b"packed"
    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        assert archive.read("member") == b"zipped"


def test_a_file_is_flushed_though_a_daemon_thread_goes_on(patient_bench: ScriptBench, tmp_path: Path) -> None:
    source = script(
        f"""
        global kept
        kept = open({str(tmp_path / "kept.txt")!r}, "w")
        kept.write("of a global")
        threading.Thread(target=watch, daemon=True).start()
        """,
        top="""
        import time
        def watch():
            while True:
                assert script_is_whole
                time.sleep(0.001)
        script_is_whole = True
        """,
    )
    procedure_id = end(patient_bench, source, ProcedureState.COMPLETE)
    assert (tmp_path / "kept.txt").read_text() == "of a global"
    assert patient_bench.lines(procedure_id) == []


@pytest.mark.parametrize("state", [ProcedureState.COMPLETE, ProcedureState.STOPPED])
def test_what_does_not_end_is_named_and_the_rest_is_done(
    bench: ScriptBench, tmp_path: Path, state: ProcedureState
) -> None:
    source = script(
        f"""
        atexit.register(lambda: open({str(tmp_path / "done")!r}, "w").write("done"))
        threading.Thread(target=wait, name="endless exposure").start()
        {"pass" if state is ProcedureState.COMPLETE else "say('up'); wait()"}
        """,
        top="import atexit",
    )
    procedure_id = end(bench, source, state)
    assert "these threads have not ended: endless exposure" in bench.lines(procedure_id)[-1]
    assert (tmp_path / "done").read_text() == "done"


def test_an_exit_function_that_hangs_is_interrupted_and_the_next_one_is_called(bench: ScriptBench) -> None:
    source = script(
        "atexit.register(print, 'the next one'); atexit.register(wait)",
        top="import atexit",
    )
    procedure_id = end(bench, source, ProcedureState.COMPLETE)
    assert "the next one" in bench.lines(procedure_id)


def test_an_exit_function_that_cannot_be_interrupted_does_not_keep_a_procedure(bench: ScriptBench) -> None:
    source = script(
        "atexit.register(hang)",
        top="""
        import atexit
        def hang():
            while True:
                try:
                    wait()
                except BaseException:
                    pass
        """,
    )
    procedure_id = end(bench, source, ProcedureState.COMPLETE)
    assert "an exit function, or the end of an object, hangs" in bench.lines(procedure_id)[-1]


def test_a_stop_does_not_interrupt_the_end_of_a_script(patient_bench: ScriptBench) -> None:
    source = script(
        """
        def work():
            say("up")
            time.sleep(0.2)
            print("exposure saved")
        threading.Thread(target=work).start()
        """,
        top="import time",
    )
    procedure_id = end(patient_bench, source, ProcedureState.STOPPED)
    assert patient_bench.lines(procedure_id) == ["exposure saved"]


def test_an_exit_function_that_raises_is_shown_and_the_end_goes_on(patient_bench: ScriptBench) -> None:
    source = script(
        "atexit.register(print, 'the next one'); atexit.register(lambda: 1 / 0)", top="import atexit"
    )
    lines = patient_bench.lines(end(patient_bench, source, ProcedureState.COMPLETE))
    assert lines[-1] == "the next one"
    assert "ZeroDivisionError: division by zero" in lines


def test_events_of_exit_functions_come_before_the_end(patient_bench: ScriptBench) -> None:
    procedure_id = end(
        patient_bench, script("atexit.register(say, 'parked')", top="import atexit"), ProcedureState.COMPLETE
    )
    topics = [event["topic"] for event in patient_bench.events if event["msg_src"] == str(procedure_id)]
    assert patient_bench.said(procedure_id) == ["parked"]
    assert topics[-1] == "procedure.lifecycle.complete"


def test_a_process_that_a_script_has_forked_ends_like_python_too(
    patient_bench: ScriptBench, tmp_path: Path
) -> None:
    source = script(
        f"""
        global kept
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        kept = open({str(tmp_path / "kept.txt")!r}, "w")
        kept.write("of a child")
        """
    )
    end(patient_bench, source, ProcedureState.COMPLETE)
    assert (tmp_path / "kept.txt").read_text() == "of a child"


def test_a_script_that_fails_while_it_is_loaded_ends_like_python(
    patient_bench: ScriptBench, tmp_path: Path
) -> None:
    procedure_id = patient_bench.create(
        f"kept = open({str(tmp_path / 'kept.txt')!r}, 'w')\nkept.write('of the top')\nraise OSError('no')\n"
        "def main(): pass\n"
    )
    patient_bench.failure_of(procedure_id)
    assert (tmp_path / "kept.txt").read_text() == "of the top"


def test_a_script_that_is_stopped_when_ready_ends_like_python(
    patient_bench: ScriptBench, tmp_path: Path
) -> None:
    procedure_id = patient_bench.ready(
        f"import atexit\natexit.register(lambda: open({str(tmp_path / 'done')!r}, 'w').write('done'))\n"
        "def main(): pass\n"
    )
    began = time.monotonic()
    patient_bench.stop(procedure_id)
    assert (tmp_path / "done").read_text() == "done", time.monotonic() - began
