"""Output of scripts: complete, in order, bounded, and there to the last line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.patience import wait_until
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.domain import ProcedureState
from ska_oso_oet.procedure.domain.errors import NotKeptError, OutputNotKeptError
from ska_oso_oet.procedure.execution.output import MAX_LINE, TAIL_LINES


def test_stdout_stderr_logging_and_subprocesses_are_in_order(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script("""
            for number in range(50):
                print("print", number)
                print("error", number, file=sys.stderr)
                logging.getLogger("observation").info("log %d", number)
            os.write(1, b"from C\\n")
            subprocess.run(["echo", "from a subprocess"])
            print("end")
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    lines = bench.lines(procedure_id)
    logged = re.compile(r"[-\d]+ [\d:,]+ INFO observation: (log \d+)")
    plain = [match[1] if (match := logged.fullmatch(line)) else line for line in lines]
    expected = [f"{kind} {number}" for number in range(50) for kind in ("print", "error", "log")]
    assert plain == [*expected, "from C", "from a subprocess", "end"]


def test_output_is_there_while_the_script_runs(bench: ScriptBench) -> None:
    procedure_id = bench.run(script("print('first')\nprint('unfinished', end='')\nwait()"))
    bench.wait_for(lambda: bench.service.output(procedure_id).tail() == ["first", "unfinished"])
    bench.stop(procedure_id)
    assert bench.lines(procedure_id) == ["first", "unfinished"]


@pytest.mark.parametrize(
    "end",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",
        "ctypes.string_at(0)",
        "os._exit(3)",
        "raise ValueError",
        "sys.exit(1)",
    ],
)
def test_end_of_a_crashed_scripts_output_is_there_when_the_crash_is_told(
    bench: ScriptBench, end: str
) -> None:
    procedure_id = bench.run(
        script(f"for number in range(1000): print(number)\nprint('last words', end='')\n{end}")
    )
    bench.failure_of(procedure_id)
    lines = bench.lines(procedure_id)
    assert lines[:1000] == list(map(str, range(1000)))
    assert lines[1000].startswith("last words")


def test_crash_in_c_code_tells_the_line_of_the_script(bench: ScriptBench) -> None:
    procedure_id = bench.run(script("print('before')\nctypes.string_at(0)"))
    bench.failure_of(procedure_id)
    assert re.search(r'File "<embedded script>", line \d+ in main', "\n".join(bench.lines(procedure_id)))


def test_bytes_that_are_no_unicode_are_shown_and_harm_nobody(bench: ScriptBench) -> None:
    procedure_id = bench.run(
        script(r"""
            os.write(1, b"caf\xe9 \xff\xfe \x00 end\n")
            print("half a pair: \ud800")
            sys.stdout.buffer.write(b"raw \x80\n")
        """)
    )
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == [r"caf\xe9 \xff\xfe " + "\0 end", r"half a pair: \ud800", r"raw \x80"]


def test_flood_is_bounded_on_disk_and_numbered_all_through(bench: ScriptBench, tmp_path: Path) -> None:
    """100 MB of output, while another script can still be stopped and prepared."""
    total = 1_000_000
    procedure_id = bench.run(
        script(f"""
            for start in range(0, {total}, 1000):
                lines = ["line %07d %s\\n" % (number, "x" * 87) for number in range(start, start + 1000)]
                os.write(1, "".join(lines).encode())
        """)
    )
    other = bench.ready(script())
    bench.stop(other)
    assert bench.states(other)[-1] == "STOPPED"
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    files = list((tmp_path / "state" / "output").glob(f"{procedure_id}.log*"))
    assert sum(file.stat().st_size for file in files) <= 8 << 20
    output = bench.service.output(procedure_id)
    after, lines = output.read(0, 10)
    assert after > 0
    assert lines == [f"line {number:07} {'x' * 87}" for number in range(after, after + 10)]
    after, lines = output.read(total - 3, 10)
    assert (after, [line[:12] for line in lines]) == (total - 3, [f"line {total - n:07}" for n in (3, 2, 1)])
    assert len(output.tail()) <= TAIL_LINES


def test_reading_on_across_rotations_misses_and_repeats_nothing(patient_bench: ScriptBench) -> None:
    procedure_id = patient_bench.run(
        script("""
            for number in range(120_000):
                print("line", number, "x" * 80)
        """)
    )
    after, live = 0, True
    while live:
        live = not patient_bench.service.summary(procedure_id).state.is_final
        first, lines = patient_bench.service.output(procedure_id).read(after, 100_000)
        for offset, line in enumerate(lines):
            assert line.startswith(f"line {first + offset} x")
        after = first + len(lines)
    assert after == 120_000


@pytest.mark.parametrize("end", ["''", "'\\n'"])
def test_line_without_end_is_broken(bench: ScriptBench, end: str) -> None:
    procedure_id = bench.run(script(f"print('y' * 10_000_000, end={end})\nprint('end')"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    lines = bench.lines(procedure_id)
    assert max(map(len, lines)) <= MAX_LINE
    assert lines[-1].endswith("end")
    assert max(map(len, bench.service.output(procedure_id).tail())) <= MAX_LINE


@pytest.mark.parametrize(
    "breaking",
    [
        "sys.stdout.close(); sys.stderr.close()",
        "sys.stdout = sys.stderr = None",
        "sys.stdout = sys.stderr = object()",
        "os.close(1); os.close(2)",
        "os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
    ],
)
def test_script_that_breaks_its_streams_completes(bench: ScriptBench, breaking: str) -> None:
    procedure_id = bench.run(script(f"print('before')\n{breaking}\nsay('up')"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["before"]
    assert bench.said(procedure_id) == ["up"]


def test_reading_from_standard_input_meets_its_end(bench: ScriptBench) -> None:
    procedure_id = bench.run(script("print(repr(sys.stdin.read()))\ninput('? ')"))
    assert "EOFError" in bench.failure_of(procedure_id)
    assert bench.lines(procedure_id)[0] == "''"


def _kept_in(folder: Path) -> set[int]:
    """Return the procedures whose output is on disk."""
    return {int(file.name.split(".")[0]) for file in (folder / "state" / "output").iterdir()}


def test_output_of_old_procedures_is_dropped_but_not_that_of_live_ones(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    bench = make_bench(output_logs=3)
    live = bench.ready(script(init="print('early')"))
    for _ in range(5):
        bench.assert_works()
    assert bench.lines(live) == ["early"]
    expected = {live, live + 4, live + 5}
    wait_until(lambda: _kept_in(tmp_path) == expected, "three logs", seen=lambda: _kept_in(tmp_path))


def test_output_of_those_that_were_live_together_is_dropped_when_they_have_ended(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    bench = make_bench(output_logs=2)
    together = [bench.ready(script(init=f"print({number})")) for number in range(4)]
    bench.wait_for(lambda: [bench.lines(each) for each in together] == [["0"], ["1"], ["2"], ["3"]])
    for each in together:
        bench.stop(each)
    expected = set(together[2:])
    wait_until(lambda: _kept_in(tmp_path) == expected, "two logs", seen=lambda: _kept_in(tmp_path))
    with pytest.raises(OutputNotKeptError, match="newest 2"):
        bench.service.output(together[0])


def test_output_that_cannot_be_read_is_not_taken_for_none(bench: ScriptBench, tmp_path: Path) -> None:
    procedure_id = bench.run(script("print('written')"))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    log = tmp_path / "state" / "output" / f"{procedure_id}.log"
    log.rename(log.with_name("elsewhere"))
    log.mkdir()
    with pytest.raises(
        NotKeptError, match=f"of procedure {procedure_id} cannot be read .*{procedure_id}.log"
    ):
        bench.service.output(procedure_id)


def test_state_directory_that_cannot_be_written_costs_the_file_alone(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    bench = make_bench()
    (tmp_path / "state").write_text("no folder")
    procedure_id = bench.run(script("print('shown anyway')\nprint(os.getcwd())\nwait()"))
    bench.wait_for(lambda: len(bench.service.output(procedure_id).tail()) == 3)
    reported, first, directory = bench.service.output(procedure_id).tail()
    assert "not written to disk" in reported
    assert first == "shown anyway"
    bench.stop(procedure_id)
    bench.service.shutdown()
    assert not Path(directory).exists()
