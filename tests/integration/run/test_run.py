"""``python -m ska_oso_oet.run``: a script runs as in the OET, and its author sees all of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE

SCRIPT = """
import logging
import sys
import time
from pathlib import Path
from pubsub import pub
from ska_oso_oet.event import topics
from beside import NAME

def init(subarray_id: int = 1):
    global observe
    def observe(target): print(f"subarray {subarray_id} observes {target} from {NAME}", sys.argv)

def main(target, scans: int = 2, end=None):
    logging.info("observing")
    observe(target)
    for scan in range(scans):
        pub.sendMessage(topics.user.script.progress, progress=100 * (scan + 1) / scans, msg=f"scan {scan}")
    pub.sendMessage("weather", station=Path("north"), wind=float("nan"))
    if end == "raise":
        raise ValueError("too much wind")
    if end == "exit":
        sys.exit(3)
    if end == "wait":
        print("waiting", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that imports a module beside it, and not the one that is where the author is."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "beside.py").write_text("NAME = 'beside'")
    (tmp_path / "beside.py").write_text("NAME = 'the current folder'")
    path = folder / "observe_it.py"
    path.write_text(SCRIPT)
    return path


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "ska_oso_oet.run", *words]


def run(script: Path, *words: str, keys: str = "") -> subprocess.CompletedProcess[str]:
    """Run a script, with the author in the folder above it.

    :param keys: what the author types
    """
    return subprocess.run(
        command(str(script), *words),
        input=keys,
        cwd=script.parents[1],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_output_events_and_states_are_shown(script: Path) -> None:
    ended = run(script, "Vega", "--scans=1", "--init.subarray_id=4")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"subarray 4 observes Vega from beside ['{script}']\n"
    shown = ended.stderr.splitlines()
    assert [line for line in shown if line.isupper() or line.startswith("[oet] ")] == [
        "[oet] LOADING",
        "[oet] IDLE",
        "[oet] RUNNING",
        "[oet] READY",
        "[oet] progress 100 %: scan 0",
        '[oet] weather {"station":"north","wind":"NaN"}',
        "[oet] READY",
        "[oet] COMPLETE",
    ]
    assert any(line.endswith("INFO root: observing") for line in shown)


def test_a_failure_shows_the_lines_of_the_script_only(script: Path) -> None:
    ended = run(script, "Vega", "--end=raise")
    assert ended.returncode == 1
    trace = ended.stderr[ended.stderr.index("Traceback") :].splitlines()
    assert trace[1].startswith(f'  File "{script}", line')
    assert trace[-2:] == ["ValueError: too much wind", "[oet] FAILED"]


def test_the_exit_status_is_that_of_the_script(script: Path) -> None:
    assert run(script, "Vega", "--end=exit").returncode == 3


def test_arguments_are_checked_before_anything_runs(script: Path) -> None:
    ended = run(script, "--wrong=1")
    assert ended.returncode == 1
    assert "the arguments of main() do not fit" in ended.stderr
    assert "RUNNING" not in ended.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_interrupts_the_script(script: Path, number: signal.Signals, status: int) -> None:
    words = command(str(script), "Vega", "--end=wait")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "waiting\n":
            assert process.poll() is None
        process.send_signal(number)
        assert process.wait(PATIENCE) == status


def test_the_debugger_opens_where_the_script_raises(script: Path) -> None:
    ended = run(script, "--pdb", "Vega", "--end=raise", keys="p target, scans\nq\n")
    assert "('Vega', 2)" in ended.stdout
    assert ended.returncode == 1


def test_a_breakpoint_stops_the_script(tmp_path: Path) -> None:
    path = tmp_path / "scripts" / "stops.py"
    path.parent.mkdir()
    path.write_text("def main(n):\n    breakpoint()\n    print('n is', n)\n")
    ended = run(path, "3", keys="!n = n + 1\nc\n")
    assert "n is 4" in ended.stdout
    assert ended.returncode == 0


@pytest.mark.parametrize(
    "words", [[], ["--target=Vega"], ["x.py", "--scans", "2"], ["x.py", "--a=1", "--a=2"]]
)
def test_a_command_line_that_is_wrong_is_explained(tmp_path: Path, words: list[str]) -> None:
    ended = subprocess.run(
        command(*words), capture_output=True, text=True, timeout=PATIENCE, check=False, env={**os.environ}
    )
    assert ended.returncode == 2
    assert "Usage: python -m ska_oso_oet.run" in ended.stdout + ended.stderr


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "scripts" / "missing.py"
    path.parent.mkdir()
    ended = run(path)
    assert ended.returncode == 1
    assert str(path) in ended.stderr


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("sys.exit('too much wind')", 1, "too much wind\n"),
        ("sys.exit(3)", 3, ""),
        ("sys.excepthook = lambda *args: print('parked', file=sys.stderr); 1 / 0", 1, "parked\n"),
    ],
)
def test_how_it_ends_is_shown_as_by_python(tmp_path: Path, body: str, status: int, said: str) -> None:
    script = tmp_path / "ends.py"
    script.write_text(f"import sys\ndef main(): {body}\n")
    ended = subprocess.run(
        command(str(script)), capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=tmp_path
    )
    shown = "".join(line for line in ended.stderr.splitlines(True) if not line.startswith("[oet]"))
    assert (ended.returncode, shown) == (status, said)
