"""Processes and threads that scripts start: they end with the script, whatever they do to live on."""

from pathlib import Path

import psutil
import pytest
from tests.support.leftovers import guardian
from tests.support.patience import PATIENCE, wait_until
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.mptools.posix import is_gone, wait_until_gone
from ska_oso_oet.procedure.domain import ProcedureState

DETACH = """
    def detach(work):
        \"\"\"Run something in a process that has left its parent, its session and its signals behind.\"\"\"
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)
                os.write(writer, str(os.getpid()).encode())
                work()
            os._exit(0)
        pub.sendMessage("user.pid", pid=int(os.read(reader, 20)))
"""

ENDS = {
    "completes": ("pass", ProcedureState.COMPLETE),
    "fails": ("raise ValueError", ProcedureState.FAILED),
    "is killed": ("os.kill(os.getpid(), signal.SIGKILL)", ProcedureState.FAILED),
    "exits": ("os._exit(0)", ProcedureState.FAILED),
}


def offspring_pids(bench: ScriptBench) -> list[int]:
    return [event["pid"] for event in bench.of("user.pid")]


@pytest.mark.parametrize("kind", ENDS)
def test_what_has_detached_ends_with_the_script(bench: ScriptBench, kind: str) -> None:
    end, state = ENDS[kind]
    procedure_id = bench.run(script(f"detach(wait)\ndetach(wait)\n{end}", top=DETACH))
    bench.wait_for_state(procedure_id, state)
    pids = offspring_pids(bench)
    assert len(pids) == 2
    if state is ProcedureState.COMPLETE or "raise" in end:
        bench.service.shutdown()
    assert all(is_gone(pid) for pid in pids)


def test_what_has_detached_is_gone_when_stopped_is_told(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(script("detach(wait)\nsay('up')\nwait()", top=DETACH))
    bench.stop(procedure_id)
    assert all(is_gone(pid) for pid in offspring_pids(bench))


def test_process_that_forks_itself_on_and_on_is_caught(bench: ScriptBench) -> None:
    """It has another process ID whenever one looks: parent gone, child forking."""
    flee = """
    import time
    def flee():
        while True:
            if os.fork():
                os._exit(0)
            os.setsid()
            time.sleep(0.001)
    """
    procedure_id = bench.run_until_said(script("detach(flee)\nsay('up')\nwait()", top=DETACH + flee))
    bench.stop(procedure_id)
    bench.service.shutdown()
    assert psutil.Process(guardian()).children() == []


def test_stop_of_one_script_leaves_the_offspring_of_another_alone(bench: ScriptBench) -> None:
    kept = bench.ready(script(init="detach(wait)", top=DETACH))
    [pid] = offspring_pids(bench)
    other = bench.run_until_said(script("detach(wait)\nsay('up')\nwait()", top=DETACH))
    bench.stop(other)
    assert not is_gone(pid)
    bench.stop(kept)
    assert is_gone(pid)


@pytest.mark.parametrize("daemon", [True, False])
def test_threads_that_never_end_do_not_delay_the_end(bench: ScriptBench, daemon: bool) -> None:
    procedure_id = bench.run(
        script(
            f"for _ in range(5): threading.Thread(target=wait, daemon={daemon}).start()\n"
            "pub.sendMessage('user.pid', pid=os.getpid())",
            top="""
            import atexit
            atexit.register(wait)
        """,
        )
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    [pid] = offspring_pids(bench)
    wait_until_gone([pid], timeout=PATIENCE)
    assert is_gone(pid)
    bench.assert_works()


@pytest.mark.parametrize(
    "child",
    ["return", "raise ValueError('of the child')", "sys.exit(0)", "os._exit(1)", "say('from the child')"],
)
@pytest.mark.parametrize("function", ["init", "main"])
def test_forked_child_does_not_speak_for_the_script(bench: ScriptBench, function: str, child: str) -> None:
    body = f"""
        child = os.fork()
        if child == 0:
            {child}
            return
        os.waitpid(child, 0)
        say("parent")
    """
    procedure_id = bench.run(script(**{"main": "pass", function: body}))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.said(procedure_id) == ["parent"]
    expected = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY", "RUNNING", "READY", "COMPLETE"]
    assert bench.states(procedure_id) == (expected if function == "init" else expected[:4] + expected[5:])
    assert ("of the child" in "\n".join(bench.lines(procedure_id))) == ("of the child" in child)


def test_exit_status_of_a_forked_child_is_its_own(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script("""
            child = os.fork()
            if child == 0:
                sys.exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["7"]


def test_forked_child_that_loads_forever_is_ended_with_the_script(bench: ScriptBench) -> None:
    procedure_id = bench.run(script(top="if os.fork() == 0:\n    wait()\n"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)


def test_forked_child_that_is_told_to_end_as_soon_as_it_exists_ends(bench: ScriptBench) -> None:
    """As the processes of a pool are, where it has little to do."""
    procedure_id = bench.run(
        script("""
            for _ in range(200):
                child = os.fork()
                if child == 0:
                    signal.pause()
                os.kill(child, signal.SIGTERM)
                os.waitpid(child, 0)
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)


def test_multiprocessing_with_fork_works_in_a_script(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script(
            """
            context = multiprocessing.get_context("fork")
            with context.Pool(2) as pool:
                print(pool.map(square, range(5)))
            process = context.Process(target=print, args=["from a child"], kwargs={"flush": True})
            process.start()
            process.join()
            print(process.exitcode)
            """,
            top="def square(number):\n    return number * number\n",
        )
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["[0, 1, 4, 9, 16]", "from a child", "0"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_multiprocessing_with_a_new_interpreter_works_in_a_script(bench: ScriptBench, method: str) -> None:
    procedure_id = bench.run(
        script(f"""
            import math
            with multiprocessing.get_context({method!r}).Pool(1) as pool:
                print(pool.map(math.factorial, range(5)))
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["[1, 1, 2, 6, 24]"]


def test_processes_of_multiprocessing_end_with_the_script(bench: ScriptBench) -> None:
    procedure_id = bench.run_until_said(
        script("""
            for method in ("fork", "spawn"):
                multiprocessing.get_context(method).Process(target=signal.pause).start()
            say("up")
            wait()
        """)
    )
    bench.stop(procedure_id)
    bench.service.shutdown()
    assert psutil.Process(guardian()).children() == []


def test_subprocess_that_goes_on_writing_does_not_keep_the_script_from_ending(
    bench: ScriptBench, tmp_path: Path
) -> None:
    procedure_id = bench.run(
        script(
            "subprocess.Popen(['setsid', 'sh', '-c', 'trap \"\" TERM HUP; while :; do echo noise; done'])\n"
        )
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    bench.assert_works()


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)", "wait()"])
def test_shared_memory_that_a_script_leaves_is_removed(bench: ScriptBench, end: str) -> None:
    procedure_id = bench.run_until_said(
        script(f"""
            from multiprocessing import shared_memory
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            memory = shared_memory.SharedMemory(create=True, size=8)
            subprocess.Popen(["sleep", "600"])
            say(memory.name)
            say("up")
            {end}
        """)
    )
    name = bench.said(procedure_id)[0]
    if end == "wait()":
        bench.stop(procedure_id)
    bench.wait_for_end(procedure_id)
    wait_until(lambda: not Path("/dev/shm", name).exists(), "the removal of the memory")
    bench.service.shutdown()
    assert psutil.Process(guardian()).children() == []
