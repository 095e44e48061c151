"""Long scripts: the server neither reads nor compiles them, and is not delayed by them."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.support.patience import patience
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.procedure.application import PrepareProcessCommand
from ska_oso_oet.procedure.domain import (
    FileSystemScript,
    ProcedureInput,
    ProcedureState,
    ScriptNotAllowedError,
    ScriptNotFoundError,
)
from ska_oso_oet.procedure.domain.script_text import ScriptText
from ska_oso_oet.procedure.domain.source import LONG, SIZE_LIMIT

ROWS = ", ".join(f"({number}, {number}.5)" for number in range(50_000))
TABLE = f"TABLE = [{ROWS}]\n"


def create(
    bench: ScriptBench, path: Path, init: ProcedureInput | None = None, main: ProcedureInput | None = None
) -> int:
    script = FileSystemScript(path.as_uri())
    return bench.service.prepare(PrepareProcessCommand(script, init or ProcedureInput(), main)).id


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A script that is a table of numbers, and writes how many rows that has."""
    path = tmp_path / "table.py"
    path.write_text(f"{TABLE}def main(row): print(len(TABLE), TABLE[row])\n")
    return path


def test_table_of_numbers_runs_and_delays_nobody(bench: ScriptBench, table: Path) -> None:
    ticking = script("say('up')\nwhile True:\n    pub.sendMessage('user.script.tick', at=time.monotonic())\n"
                     "    time.sleep(0.002)", top="import time")  # fmt: skip
    running = bench.run_until_said(ticking)
    began = time.monotonic()
    procedure_id = create(bench, table)
    created = time.monotonic() - began
    # The time to compile it is the measure: a caller that had to wait for that has waited as long.
    slowest_look = 0.0
    while bench.states(procedure_id)[-1] != "READY":
        look = time.monotonic()
        assert bench.manager.running == running
        bench.wait_for_event("user.script.tick")
        slowest_look = max(slowest_look, time.monotonic() - look)
    loaded = time.monotonic() - began
    assert created < loaded / 3
    assert slowest_look < loaded / 3
    assert bench.stop(running).stopped.state is ProcedureState.STOPPED
    bench.start(procedure_id, ProcedureInput(row=7))
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == ["50000 (7, 7.5)"]


def test_server_does_not_read_a_long_script(
    bench: ScriptBench, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the server reads a script that is long")

    monkeypatch.setattr(ScriptText, "__init__", refuse)
    with pytest.raises(AssertionError, match="reads a script"):
        bench.create("def main(): ...\n")
    bench.wait_for_state(create(bench, table), ProcedureState.READY)
    bench.ready(f"# {'x' * LONG}\ndef main(): ...\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def main(:\n", "table.py is not valid Python in line 2: invalid syntax; fix the script"),
        ("def observe(): ...\n", "table.py has no function main(): define what is to run as main()"),
        ("def init(dish): ...\n", "the arguments of init() do not fit: missing a required argument: 'dish'"),
        ("def main(dish): ...\n", "the arguments of main() do not fit: missing a required argument: 'dish'"),
        ("def main():\n  return " + "-" * 50_000 + "1\n", "is not valid Python: it is too deeply nested"),
    ],
)
def test_what_is_wrong_with_a_long_script_fails_its_procedure_with_the_sentence_of_a_refusal(
    bench: ScriptBench, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "table.py"
    path.write_text(f"# {'x' * LONG}\n{text}")
    trace = bench.failure_of(create(bench, path, main=ProcedureInput()))
    assert reason in trace
    assert "Traceback" not in trace


def test_file_that_is_too_large_is_refused_unread(bench: ScriptBench, tmp_path: Path) -> None:
    path = tmp_path / "huge.py"
    with path.open("wb") as file:
        file.truncate(10**9)
    path.chmod(0)
    began = time.process_time()
    with pytest.raises(
        ScriptNotAllowedError, match=f"has 1000000000 bytes, {SIZE_LIMIT} are allowed: .* Scri"
    ):
        create(bench, path)
    assert time.process_time() - began < patience(1.0)


def test_size_limit_can_be_set_and_holds_for_texts_too(
    make_bench: Callable[..., ScriptBench], tmp_path: Path
) -> None:
    bench = make_bench(script_size_limit=100)
    path = tmp_path / "observe.py"
    text = "def main(): ...\n#".ljust(100, "x")
    path.write_text(text)
    bench.wait_for_state(create(bench, path), ProcedureState.READY)
    bench.ready(text)
    path.write_text(text + "x")
    for refused in (
        partial(create, bench, path),
        partial(bench.create, text + "x"),
        partial(bench.create, "#" + "ä" * 50),
    ):
        with pytest.raises(ScriptNotAllowedError, match="has 101 bytes, 100 are allowed"):
            refused()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_not_a_regular_file_is_refused(
    bench: ScriptBench, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "special.py"
    make(path)
    with pytest.raises(ScriptNotFoundError, match="is not a regular file"):
        create(bench, path)


@pytest.mark.parametrize("terms", [1_500, 2_900])
def test_deep_script_runs(bench: ScriptBench, terms: int) -> None:
    procedure_id = bench.run(f"def main():\n    one = 1\n    print({' + '.join(['one'] * terms)})\n")
    bench.wait_for_state(procedure_id, ProcedureState.COMPLETE)
    assert bench.lines(procedure_id) == [str(terms)]
