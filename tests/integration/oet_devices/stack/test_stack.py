"""``oet-stack``: all of the OET on one machine, started and ended as one."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import tango
from tests.support import patient_http
from tests.support.controllers import embedded
from tests.support.operator import operate
from tests.support.patience import PATIENCE, patience, wait_until
from tests.support.processes import ServerProcess, own_lines
from tests.support.ten_scripts import occupy

from ska_oso_oet.journal import open_journal

READY = (
    r"^OET ready: TANGO_HOST=127\.0\.0\.1:(\d+) DEVICE=(mid-oet/controller/01) "
    r"REST=((http://127\.0\.0\.1:\d+)/api/v1\.0) PAGE=\4/$"
)
END_TIME = patience(5.0)
"""Seconds within which everything has to end."""
WAITS = "import signal\ndef main(): signal.pause()"


@dataclass
class RunningStack:
    """A stack that is up.

    :param process: ``oet-stack`` itself
    :param port: port of its Tango database
    :param controller: its controller
    :param state: where it keeps everything
    """

    process: ServerProcess
    port: int
    controller: tango.DeviceProxy
    state: Path

    def family(self) -> list[psutil.Process]:
        """All processes that belong to it."""
        return family_of(self.process.pid)

    def part(self, module: str) -> psutil.Process:
        """The part that a module runs."""
        return part_of(self.process.pid, module)

    def end(self, number: int) -> int:
        """Send a signal, check that all ends in time, and return the exit status."""
        family = self.family()
        assert len(family) > 4, "database, device server, sidecar, and what they have started"
        before = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(2 * END_TIME)
        assert time.monotonic() - before < END_TIME
        assert survivors(family[1:]) == []
        return status


def family_of(pid: int) -> list[psutil.Process]:
    """Return a process and all that it has started."""
    main = psutil.Process(pid)
    return [main, *main.children(recursive=True)]


def part_of(pid: int, module: str) -> psutil.Process:
    """Return the part of a stack that a module runs, as soon as there is one."""

    def find() -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess):  # one that has just ended
            return next((child for child in family_of(pid)[1:] if module in child.cmdline()), None)
        return None

    found = wait_until(find, module)
    assert found is not None
    return found


def survivors(family: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that live on. One that has ended may wait for its burial by a parent of the system's."""
    _, left = psutil.wait_procs(family, timeout=patience(1.0))
    return [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def command(state: Path, *options: str) -> list[str]:
    arguments = ["--state-dir", str(state), "--tango-port", "0", "--rest-port", "0", *options]
    return [sys.executable, "-m", "oet_devices.tools.stack", *arguments]


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[list[RunningStack]]:
    """Two stacks side by side."""
    with ExitStack() as ends:
        processes = []
        for name in "ab":
            process = ServerProcess(command(tmp_path / name))
            ends.callback(process.stop, 2 * END_TIME)
            processes.append((process, tmp_path / name))
        yield [_running(process, state) for process, state in processes]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunningStack]:
    """A stack, which heeds SIGHUP."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process = ServerProcess(command(tmp_path))
    signal.signal(signal.SIGHUP, before)
    try:
        yield _running(process, tmp_path)
    finally:
        process.stop(2 * END_TIME)


def _running(process: ServerProcess, state: Path) -> RunningStack:
    ready = process.wait_for_output(READY)
    device = tango.DeviceProxy(f"tango://127.0.0.1:{ready[1]}/{ready[2]}")
    return RunningStack(process, int(ready[1]), device, state)


def refusal(*options: str, state: Path) -> str:
    """Return the line that ``oet-stack`` ends with."""
    ended = subprocess.run(
        command(state, *options), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr.strip()


def test_two_stacks_side_by_side_until_they_are_told_to_end(
    stacks: list[RunningStack], tmp_path: Path
) -> None:
    first, second = stacks
    # The output after the start is one line for programs, and one for people.
    first.process.wait_for_output("^Logs are in ")
    assert len(own_lines(first.process.output)) == 2
    with operate(first.controller) as operator:
        pid = operator.run(embedded(WAITS), state="RUNNING")
        assert second.controller.lastProcedure == 0
        assert any("hello_world" in uri for uri in second.controller.scripts)

        reported = refusal(state=first.state)
        assert re.fullmatch(
            rf"oet-stack: the state directory {first.state} is used by another stack "
            rf"\(process {first.process.pid}\): end that, or choose another folder with --state-dir",
            reported,
        )
        reported = refusal("--tango-port", str(first.port), state=tmp_path / "c")
        assert reported == (
            f"oet-stack: port {first.port} of 127.0.0.1 cannot be used (Address already in use): "
            "end what uses it, or choose another with --tango-port"
        )
        assert operator.describe(pid)["state"] == "RUNNING"
    assert first.end(signal.SIGINT) == 0
    assert second.controller.State() == tango.DevState.ON
    for module in ("oet_devices.server", "ska_oso_oet.sidecar", "tango.databaseds.database"):
        second.part(module).suspend()
    assert second.end(signal.SIGTERM) == 0


@pytest.mark.parametrize("how", ["python -m", "oet-stack"])
def test_nothing_is_imported_from_the_folder_that_it_is_started_in(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "anything"
    folder.mkdir()
    for name in ("random", "queue", "json", "tango", "numpy", "secrets", "socket", "signal", "observer"):
        (folder / f"{name}.py").write_text("raise SystemExit(f'imported by mistake: {__file__}')\n")
    started = command(tmp_path / "state")
    if how == "oet-stack":
        started[:3] = [str(Path(sys.executable).with_name("oet-stack"))]
    process = ServerProcess(started, folder=folder)
    try:
        stack = _running(process, tmp_path / "state")
        script = "import secrets, sys\ndef main():\n    import observer\n"
        with operate(stack.controller) as operator:
            pid = operator.run(embedded(script), state="FAILED")
            trace = operator.describe(pid)["history"]["stacktrace"]
    finally:
        process.stop(2 * END_TIME)
    assert trace.endswith("ModuleNotFoundError: No module named 'observer'\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_scripts_are_recorded_as_stopped_however_many_there_are(
    stack: RunningStack, number: signal.Signals
) -> None:
    ids = occupy(stack.controller)
    assert stack.end(number) == 0
    journal = open_journal(stack.state / "controller")
    try:
        ended = {found.id: found.text for found in journal.newest_documents("procedure", 100)}
    finally:
        journal.close()
    assert set(ended) == set(ids)
    assert all('"state":"STOPPED"' in text for text in ended.values())


def test_a_second_signal_ends_all_at_once(stack: RunningStack) -> None:
    occupy(stack.controller)
    # This would keep the stack from its end for as long as it is given.
    stack.part("ska_oso_oet.sidecar").suspend()
    family = stack.family()
    stack.process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(2 * END_TIME) == 0
    assert survivors(family[1:]) == []
    assert time.monotonic() - begin < patience(3.0)


def test_a_part_that_dies_ends_the_stack_with_a_line_that_says_so(stack: RunningStack) -> None:
    family = stack.family()
    stack.part("oet_devices.server").kill()
    assert stack.process.wait(2 * END_TIME) == 1
    assert survivors(family[1:]) == []
    *_, last = stack.process.output.splitlines()
    log = stack.state / "logs" / "oetcontroller.log"
    assert re.fullmatch(rf"oet-stack: OETController ended \(status -9; .*; see {log}\)", last)
    assert log.exists()


def test_a_part_that_dies_before_the_others_are_ready_ends_the_stack(tmp_path: Path) -> None:
    process = ServerProcess(command(tmp_path))
    try:
        # It would be waited for as long as a part has for its start.
        part_of(process.pid, "ska_oso_oet.sidecar").suspend()
        log = tmp_path / "logs" / "oetcontroller.log"
        wait_until(lambda: log.exists() and "Ready to accept request" in log.read_text(), "the device server")
        part_of(process.pid, "oet_devices.server").kill()
        assert process.wait(2 * END_TIME) == 1
    finally:
        process.stop(2 * END_TIME)
    *_, last = process.output.splitlines()
    assert re.fullmatch(rf"oet-stack: OETController ended \(status -9; .*; see {log}\)", last)


def test_a_stack_that_is_killed_leaves_nothing_behind(stack: RunningStack) -> None:
    with operate(stack.controller) as operator:
        operator.run(embedded(WAITS), state="RUNNING")
        family = stack.family()
        stack.process.send_signal(signal.SIGKILL)
        stack.process.wait(END_TIME)
        _, left = psutil.wait_procs(family[1:], timeout=END_TIME)
        assert [each for each in left if each.status() != psutil.STATUS_ZOMBIE] == []


def test_a_stack_whose_controller_was_switched_off_starts_again(tmp_path: Path) -> None:
    for _ in range(2):
        process = ServerProcess(command(tmp_path))
        try:
            stack = _running(process, tmp_path)
            stack.controller.adminMode = 1  # OFFLINE, which is remembered
            assert stack.controller.State() == tango.DevState.DISABLE
        finally:
            process.stop(2 * END_TIME)


def test_it_says_where_logs_are_and_shows_what_needs_a_person(tmp_path: Path) -> None:
    for _ in range(2):
        process = ServerProcess(command(tmp_path))
        try:
            stack = _running(process, tmp_path)
            process.wait_for_output(f"^Logs are in {tmp_path}/logs;")
            with operate(stack.controller) as operator:
                operator.run(embedded("def main(): ..."))
                operator.run(embedded("def main(): raise RuntimeError('no wind')"), state="FAILED")
            process.wait_for_output(r"^OETController: 1\|.*\|ERROR\|.*RuntimeError: no wind")
        finally:
            process.stop(2 * END_TIME)
        assert "COMPLETE" not in process.output
    # The log of the first one is kept.
    log = (tmp_path / "logs" / "oetcontroller.log").read_text()
    assert log.count("RuntimeError: no wind") == 2
    assert log.count("is COMPLETE") == 2


def test_the_environment_sets_the_subarray_of_a_stack_with_one_controller(tmp_path: Path) -> None:
    for options, given, subarray in ((["--subarrays", "2"], "3", 1), ([], "3", 3), ([], "", 0)):
        process = ServerProcess(command(tmp_path, *options), {"SUBARRAY_ID": given})
        try:
            port = process.wait_for_output(r"^OET ready: TANGO_HOST=127\.0\.0\.1:(\d+) ")[1]
            controller = tango.DeviceProxy(f"tango://127.0.0.1:{port}/mid-oet/controller/01")
            assert controller.subarrayId == subarray
        finally:
            process.stop()


def test_each_part_has_the_secrets_that_it_needs_and_shows_none(tmp_path: Path) -> None:
    given = {"OET_API_TOKEN": "hush-token", "PGPASSWORD": "hush-password"}
    process = ServerProcess(command(tmp_path), given)
    try:
        rest = process.wait_for_output(r"REST=(\S+)")[1]
        for each in (psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)):
            assert "hush" not in "".join(each.environ().values())
        start = {"state": "RUNNING"}
        refused = patient_http.put(f"{rest}/procedures/1", json=start)
        assert refused.status_code == 401
        headers = {"Authorization": "Bearer hush-token"}
        missing = patient_http.put(f"{rest}/procedures/1", json=start, headers=headers)
        assert missing.status_code == 404
    finally:
        process.stop(2 * END_TIME)


def test_a_taken_rest_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        reported = refusal("--rest-port", str(port), state=tmp_path)
    assert reported.startswith(f"oet-stack: port {port} of 127.0.0.1 cannot be used")
    assert reported.endswith("choose another with --rest-port")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "192.0.2.1"), "port 0 of 192.0.2.1 cannot be used (Cannot assign requested address)"),
        (("--host", "no.such.host.invalid"), "port 0 of no.such.host.invalid cannot be used"),
    ],
)
def test_an_address_that_is_not_of_this_machine(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    assert sentence in refusal(*options, state=tmp_path)


def test_a_state_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for state in (tmp_path / "file", tmp_path / "file" / "below"):
        reported = refusal(state=state)
        assert reported.startswith(f"oet-stack: the state directory {state} cannot be used: ")
