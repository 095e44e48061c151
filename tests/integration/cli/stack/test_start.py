"""Output of the command for a real script, for all ways in which it ends."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack, oet_stack, sidecar
from tests.support.patience import PATIENCE

FAILS = """
def main():
    raise RuntimeError("the antenna\\nis stuck")
"""
STEPS = """
from pubsub import pub
from ska_oso_oet.event import topics

def main(steps=4):
    for step in range(1, steps + 1):
        pub.sendMessage(topics.user.script.progress, progress=100 * step / steps)
        pub.sendMessage(topics.user.script.announce, msg=f"Schritt {step}: α Ori")
"""
WAITS_FOR_FILE = """
import os, time
from pubsub import pub
from ska_oso_oet.event import topics

def init(fifo=None, subarray_id=1):
    if fifo:
        open(fifo).read()

def main(fifo=None):
    pub.sendMessage(topics.user.script.announce, msg="at work")
    if fifo:
        open(fifo).read()
    pub.sendMessage(topics.user.script.announce, msg="on the way home")
"""


@pytest.fixture(scope="module", autouse=True)
def _scripts(place: OetStack) -> None:
    write_scripts(place)


def write_scripts(place: OetStack) -> None:
    for name, text in (("fails", FAILS), ("steps", STEPS), ("waits", WAITS_FOR_FILE)):
        (place.scripts / f"{name}.py").write_text(text)


def create(invoke: OetInProcess, *arguments: str) -> str:
    """Have a script prepared, and return the ID of its procedure."""
    return table_rows(invoke("procedure", "create", *arguments).stdout)[1][0]


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """What scripts read until a test lets them go on."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


@contextmanager
def following(oet: OetCommand, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a procedure, and go on once its script is at work."""
    with oet.running("procedure", "start", *arguments) as process:
        assert process.stdout is not None
        while "at work" not in process.stdout.readline():
            assert process.poll() is None, process.communicate()
        yield process


def end(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=3 * PATIENCE)
    return process.returncode, stdout, stderr


def test_a_script_that_fails(invoke: OetInProcess) -> None:
    pid = create(invoke, "file://fails.py", "--wait")
    done = invoke("procedure", "start", status=1)
    assert "\nTraceback (most recent call last):\n" in done.stdout
    assert done.stdout.endswith("RuntimeError: the antenna\nis stuck\n")
    assert done.stderr == f"Error: Procedure {pid} is FAILED: RuntimeError: the antenna is stuck\n"
    assert "RuntimeError: the antenna\nis stuck\n" in invoke("procedure", "describe").stdout
    again = invoke("procedure", "start", f"--pid={pid}", status=1)
    assert again.stdout == ""
    assert again.stderr == (
        f"Error: Procedure {pid} was not started, as it is FAILED: RuntimeError: the antenna is stuck. "
        f"'oet procedure describe --pid={pid}' shows more; create it again to run it\n"
    )


def test_a_script_that_somebody_stops(oet: OetCommand, invoke: OetInProcess, fifo: Path) -> None:
    pid = create(invoke, "file://waits.py")
    with following(oet, str(fifo)) as process:
        stopped = invoke("procedure", "stop")
        status, stdout, stderr = end(process)
    assert stopped.stdout == f"Successfully stopped script with ID {pid} and aborted subarray activity\n"
    assert (status, stderr) == (3, f"Error: Procedure {pid} is STOPPED\n")
    assert "waits.py is STOPPED" in stdout


def test_an_abort_that_was_asked_for_and_did_not_happen(place: OetStack, invoke: OetInProcess) -> None:
    abort = place.scripts / "abort.py"
    text = abort.read_text()
    pid = create(invoke, place.uri("hold"))
    invoke("procedure", "start", "--listen=False")
    abort.write_text("def main(subarray_id=None):\n    raise RuntimeError('no subarray')\n")
    try:
        done = invoke("procedure", "stop", status=1)
    finally:
        abort.write_text(text)
    assert done.stdout == ""
    assert done.stderr.startswith(f"Error: Successfully stopped script with ID {pid}, but ")
    assert done.stderr.endswith("no subarray\n")
    assert table_rows(invoke("procedure", "list", f"--pid={pid}").stdout)[1][3] == "STOPPED"


def test_ctrl_c_ends_the_listening_and_not_the_script(
    oet: OetCommand, invoke: OetInProcess, fifo: Path
) -> None:
    pid = create(invoke, "file://waits.py")
    with following(oet, str(fifo)) as process:
        process.send_signal(signal.SIGINT)
        status, _, stderr = end(process)
    assert status == 130
    assert f"Procedure {pid} continues: 'oet procedure stop --pid={pid}' stops it" in stderr
    assert table_rows(invoke("procedure", "list", f"--pid={pid}").stdout)[1][3] == "RUNNING"
    invoke("procedure", "stop", "--run_abort=False")


def test_ctrl_c_before_the_script_is_ready_starts_nothing(
    oet: OetCommand, invoke: OetInProcess, fifo: Path
) -> None:
    pid = create(invoke, "file://waits.py", f"--fifo={fifo}")
    with oet.running("procedure", "start") as process:
        assert process.stderr is not None
        waiting = f"Procedure {pid} is in preparation: waiting until it is READY\n"
        assert process.stderr.readline() == waiting
        process.send_signal(signal.SIGINT)
        status, stdout, stderr = end(process)
    assert (status, stdout) == (130, "")
    assert stderr.strip() == (
        f"Error: No longer waiting. Procedure {pid} was not started: "
        f"'oet procedure start --pid={pid}' starts it"
    )
    invoke("procedure", "stop", f"--pid={pid}", "--run_abort=False")


def test_progress_is_told_line_by_line_where_nobody_sees_a_bar(invoke: OetInProcess) -> None:
    create(invoke, "file://steps.py")
    shown = invoke("procedure", "start").stdout
    assert re.findall(r" user\.script\.\w+ +#\d+ +(.*)", shown) == [
        "25.0 %",
        "Schritt 1: α Ori",
        "50.0 %",
        "Schritt 2: α Ori",
        "75.0 %",
        "Schritt 3: α Ori",
        "100.0 %",
        "Schritt 4: α Ori",
    ]


def test_a_sidecar_that_is_killed_and_comes_back_costs_no_event(place: OetStack, fifo: Path) -> None:
    with sidecar(place.tango_host) as rest:
        oet, invoke, port = OetCommand(rest.url), OetInProcess(rest.url), str(rest.port)
        pid = create(invoke, "file://waits.py")
        with following(oet, f"--fifo={fifo}") as process:
            rest.process.kill()
            assert process.stderr is not None
            assert "Lost the stream of events" in process.stderr.readline()
            fifo.write_text("")  # the script ends while no client can be notified
            with sidecar(place.tango_host, "--port", port):
                status, stdout, stderr = end(process)
    assert (status, stderr) == (0, "The stream of events is back, nothing was missed\n")
    assert stdout.count("  on the way home\n") == 1
    assert stdout.endswith(f"Procedure {pid} is COMPLETE\n")


def test_a_controller_that_is_killed_takes_its_scripts_along(tmp_path: Path, fifo: Path) -> None:
    with oet_stack(tmp_path) as own, own.controller() as controller, sidecar(own.tango_host) as rest:
        write_scripts(own)
        pid = create(OetInProcess(rest.url), "file://waits.py")
        with following(OetCommand(rest.url), f"--fifo={fifo}") as process:
            controller.kill()
            with own.controller():
                status, _, stderr = end(process)
    assert status == 1
    # While there was no controller, that may have been reported before.
    assert stderr.splitlines()[-1].startswith(f"Error: Procedure {pid} is UNKNOWN: ")
