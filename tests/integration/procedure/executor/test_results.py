"""Records of a procedure: its result, its files, and the data to run it again."""

import hashlib
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.patience import wait_until
from tests.support.script_bench import ScriptBench, script

from ska_oso_oet.model import ProcedureFile, ProcedureSummary
from ska_oso_oet.procedure.domain import (
    NotKeptError,
    ProcedureFileNotFoundError,
    ProcedureNotFoundError,
    ProcedureState,
)
from ska_oso_oet.procedure.execution import kept_files


def completed(bench: ScriptBench, source: str) -> ProcedureSummary:
    return bench.wait_for_state(bench.run(source), ProcedureState.COMPLETE)


def read(bench: ScriptBench, procedure_id: int, name: str) -> bytes:
    return bench.service.records.read_file(procedure_id, name, 0, 100)


@pytest.mark.parametrize(
    ("main", "result"),
    [
        ("def main(): return {'snr': [1.5, None], 'ok': True}", {"snr": [1.5, None], "ok": True}),
        ("def main(): pass", None),
        ("def main():\n    yield\n    return 7", 7),
        ("async def main(): return 'done'", "done"),
        ("import numpy\ndef main(): return numpy.arange(3)", [0, 1, 2]),
        (
            "from pathlib import Path\ndef main(): return {'a': Path('b'), 'c': float('nan')}",
            {"a": "b", "c": "NaN"},
        ),
        ("def main(): return 'x' * 65_534", "x" * 65_534),
    ],
)
def test_the_result_is_what_main_has_returned(bench: ScriptBench, main: str, result: Any) -> None:
    summary = completed(bench, main)
    assert (summary.result, summary.result_omitted) == (result, None)


@pytest.mark.parametrize(
    ("main", "reason"),
    [
        (
            "def main(): return 'x' * 65_535",
            "the result, of type str, has 65537 bytes as JSON, and 65536 are kept",
        ),
        ("def main(): return [list(range(10))] * 50_000", "of type list, has more than 65536 bytes"),
        ("import numpy\ndef main(): return numpy.zeros(10**6)", "of type ndarray, has more than"),
    ],
)
def test_a_result_that_is_too_large_is_named(bench: ScriptBench, main: str, reason: str) -> None:
    summary = completed(bench, main)
    assert summary.result is None
    assert reason in str(summary.result_omitted)


def test_what_it_takes_to_reproduce_a_run(bench: ScriptBench) -> None:
    source = "# Größe\ndef main(): ...\n"
    summary = completed(bench, source)
    assert summary.script_sha256 == hashlib.sha256(source.encode()).hexdigest()
    environment = bench.service.records.environment(summary.id)
    assert environment.python == ".".join(map(str, sys.version_info[:3]))
    assert any(package.startswith("pydantic==") for package in environment.packages)
    # The list is kept once, whatever number of scripts have run in the environment.
    assert completed(bench, "def main(): pass").environment == summary.environment
    failed = bench.create("1 / 0\ndef main(): ...")
    bench.failure_of(failed)
    with pytest.raises(NotKeptError, match="its script was not loaded"):
        bench.service.records.environment(failed)


FILES = """
import os, pathlib, threading
from pubsub import pub
def main():
    pathlib.Path("plots").mkdir()
    pathlib.Path("plots/beam.png").write_bytes(b"beam")
    pathlib.Path("table.csv").write_text("1,2")
    os.symlink("/etc/passwd", "link")
    os.symlink("/etc", "folder")
    os.mkfifo("pipe")
    pub.sendMessage("user.script.announce", msg="up")
    END
"""
LISTED = [ProcedureFile("table.csv", 3), ProcedureFile("plots/beam.png", 4)]


@pytest.mark.parametrize(
    ("end", "state"),
    [
        ("pass", ProcedureState.COMPLETE),
        ("raise ValueError", ProcedureState.FAILED),
        ("os._exit(3)", ProcedureState.FAILED),
        ("threading.Event().wait()", ProcedureState.STOPPED),
    ],
)
def test_files_are_listed_and_kept_however_the_script_ends(
    bench: ScriptBench, end: str, state: ProcedureState
) -> None:
    procedure_id = bench.run(FILES.replace("END", end))
    bench.wait_for_event("user.script.announce", procedure_id)
    if state is ProcedureState.STOPPED:
        assert bench.service.records.files(procedure_id).files == LISTED
        assert read(bench, procedure_id, "table.csv") == b"1,2"
        bench.stop(procedure_id)
    summary = bench.wait_for_end(procedure_id)
    assert summary.state is state
    assert summary.files == LISTED
    assert read(bench, procedure_id, "plots/beam.png") == b"beam"
    assert bench.service.records.read_file(procedure_id, "table.csv", 2, 100) == b"2"
    assert bench.service.records.read_file(procedure_id, "table.csv", 3, 100) == b""


NOT_FILES = [
    "",
    "/etc/passwd",
    "../1/table.csv",
    "plots/../../x",
    "link",
    "folder/passwd",
    "pipe",
    "plots",
    "\0",
]


def test_what_is_not_a_file_of_the_script_is_not_found(bench: ScriptBench) -> None:
    procedure_id = bench.run(FILES.replace("END", "threading.Event().wait()"))
    bench.wait_for_event("user.script.announce", procedure_id)
    for name in NOT_FILES:
        with pytest.raises(ProcedureFileNotFoundError, match="see the list of its files"):
            read(bench, procedure_id, name)
    bench.stop(procedure_id)
    for name in NOT_FILES:
        with pytest.raises(ProcedureFileNotFoundError):
            read(bench, procedure_id, name)
    with pytest.raises(ProcedureNotFoundError):
        read(bench, 99, "table.csv")


def test_files_beyond_the_limit_are_named_and_not_kept(make_bench: Callable[..., ScriptBench]) -> None:
    bench = make_bench(files_limit=10)
    source = script("for name, size in zip('abc', (6, 7, 4)): open(name, 'w').write('x' * size)")
    summary = completed(bench, source)
    assert summary.files == [
        ProcedureFile("a", 6),
        ProcedureFile("b", 7, kept=False),
        ProcedureFile("c", 4),
    ]
    assert read(bench, summary.id, "c") == b"xxxx"
    wait_until(lambda: not (bench.folder / "run" / str(summary.id)).exists(), "no working directory")
    with pytest.raises(NotKeptError, match="7 bytes, and of one procedure 10 are kept"):
        read(bench, summary.id, "b")


def test_files_of_the_newest_procedures_are_kept(bench: ScriptBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_files, "KEPT_PROCEDURES", 2)
    ids = [completed(bench, script("open('a', 'w').write('x')")).id for _ in range(3)]
    without = completed(bench, script()).id
    folder = bench.folder / "files"
    wait_until(lambda: sorted(os.listdir(folder)) == [str(each) for each in ids[1:]], "two left")
    assert read(bench, ids[1], "a") == b"x"
    with pytest.raises(NotKeptError, match="are not kept: those of the newest"):
        read(bench, ids[0], "a")
    assert bench.service.records.files(without).files == []


def test_a_great_many_files_are_counted(bench: ScriptBench) -> None:
    summary = completed(bench, script("for number in range(300): open(f'{number:03}', 'w').close()"))
    assert [file.name for file in summary.files] == [f"{number:03}" for number in range(256)]
    assert summary.files_omitted == 44
