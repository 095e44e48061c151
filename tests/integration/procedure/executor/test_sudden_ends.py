"""Scripts whose process ends without a word: they are FAILED at once, with the reason, and others can run."""

import os
import signal
import textwrap

import pytest
from tests.support.script_bench import ScriptBench

from ska_oso_oet.procedure.domain import StateForbidsError

ENDS = {
    "killed": ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
    "segfault": ("ctypes.string_at(0)", "SIGSEGV"),
    "aborted": ("os.abort()", "SIGABRT"),
    "exit with a status": ("os._exit(3)", "exit status 3"),
    "exit with status 0": ("os._exit(0)", "exit status 0"),
    "terminated by another": ("os.kill(os.getpid(), signal.SIGTERM)", "not by a request to stop"),
    "interrupted by another": ("os.kill(os.getpid(), signal.SIGINT)", "KeyboardInterrupt"),
}
PID = "import os\nfrom pubsub import pub\ndef init():\n    pub.sendMessage('user.pid', pid=os.getpid())\n"


@pytest.mark.parametrize("kind", ENDS)
def test_sudden_end_in_main_is_a_failure_with_its_reason(bench: ScriptBench, kind: str) -> None:
    end, reason = ENDS[kind]
    procedure_id = bench.run(f"import ctypes, os, signal\ndef main():\n    print('begun')\n    {end}\n")
    assert reason in bench.failure_of(procedure_id)
    assert bench.lines(procedure_id)[0] == "begun"
    assert bench.states(procedure_id)[-2:] == ["RUNNING", "FAILED"]
    assert len(bench.of("procedure.lifecycle.failed", procedure_id)) == 1
    bench.assert_works()


@pytest.mark.parametrize(
    "source", ["os._exit(3)\ndef main(): pass", "def init(): os._exit(3)\ndef main(): pass"]
)
def test_sudden_end_before_main_is_a_failure_with_its_reason(bench: ScriptBench, source: str) -> None:
    procedure_id = bench.create(f"import os\n{source}\n")
    assert "exit status 3" in bench.failure_of(procedure_id)
    bench.assert_works()


def test_ready_script_whose_process_is_killed_fails_and_cannot_be_started(bench: ScriptBench) -> None:
    procedure_id = bench.ready(f"{PID}def main(): pass\n")
    os.kill(bench.wait_for_event("user.pid")["pid"], signal.SIGKILL)
    assert "SIGKILL" in bench.failure_of(procedure_id)
    with pytest.raises(StateForbidsError, match="has ended"):
        bench.start(procedure_id)
    bench.assert_works()


def test_script_that_uses_up_its_memory_fails_with_the_place(bench: ScriptBench) -> None:
    procedure_id = bench.run("""
        import resource
        def main():
            resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))
            kept = []
            while True:
                kept.append(bytearray(10_000_000))
    """)
    trace = bench.failure_of(procedure_id)
    assert "MemoryError" in trace
    assert "kept.append" in trace
    bench.assert_works()


def test_script_that_leaves_no_memory_even_to_fail_in_is_failed(bench: ScriptBench) -> None:
    procedure_id = bench.run("""
        import resource, threading
        kept = []
        def main():
            threading.Thread(target=threading.Event().wait).start()
            resource.setrlimit(resource.RLIMIT_AS, (100_000_000, 100_000_000))
            for size in (1_000_000, 1000, 10):
                try:
                    while True:
                        kept.append(bytearray(size))
                except MemoryError:
                    pass
            raise MemoryError
    """)
    bench.failure_of(procedure_id)
    bench.assert_works()


def test_failure_with_a_long_message_tells_its_end(bench: ScriptBench) -> None:
    procedure_id = bench.run("def main():\n    raise ValueError('x' * 5_000_000 + 'the end')\n")
    trace = bench.failure_of(procedure_id)
    assert trace.rstrip().endswith("the end")


def test_failure_with_text_that_is_no_unicode_is_told(bench: ScriptBench) -> None:
    procedure_id = bench.run("def main():\n    raise ValueError('half a pair: \\ud800')\n")
    assert "half a pair: \\ud800" in bench.failure_of(procedure_id)


def test_exception_that_cannot_be_shown_is_a_failure(bench: ScriptBench) -> None:
    procedure_id = bench.run("""
        class Odd(BaseException):
            def __str__(self):
                raise KeyboardInterrupt
            __repr__ = __str__
        def main():
            raise Odd
    """)
    assert "Odd" in bench.failure_of(procedure_id)


@pytest.mark.parametrize("closing", ["os.closerange(3, 1000)", "os.closerange(0, 1000)"])
def test_script_that_closes_all_descriptors_is_ended_and_the_reason_told(
    bench: ScriptBench, closing: str
) -> None:
    procedure_id = bench.run(f"""
        import os, threading
        def main():
            {closing}
            threading.Event().wait()
    """)
    assert "connection" in bench.failure_of(procedure_id)
    bench.assert_works()


def test_script_that_closes_all_descriptors_and_publishes_is_failed(bench: ScriptBench) -> None:
    procedure_id = bench.run("""
        import os
        from pubsub import pub
        def main():
            os.closerange(3, 1000)
            pub.sendMessage("user.script.announce", msg="nobody can hear this")
    """)
    assert "connection" in bench.failure_of(procedure_id)
    bench.assert_works()


def test_many_sudden_ends_leave_the_message_loop_working(bench: ScriptBench) -> None:
    source = textwrap.dedent("""
        import os, signal
        from pubsub import pub
        def main():
            pub.sendMessage("user.script.announce", msg="up")
            os.kill(os.getpid(), signal.SIGKILL)
    """)
    for _ in range(20):
        procedure_id = bench.run(source)
        bench.failure_of(procedure_id)
        assert bench.said(procedure_id) == ["up"]
    bench.assert_works()
