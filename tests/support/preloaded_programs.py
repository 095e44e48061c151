"""Programs that start from a process which has imported what they need.

To import PyTango, and what a server is made of, takes far longer than to start the server. So one process
imports that, and is forked for each start: the child has its own arguments, environment and output, and does
what the program does from its ``main`` on. A program whose environment differs from that of the tests is
started afresh.
"""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.measurement import unmeasured
from tests.support.patience import PATIENCE
from tests.support.preloading_process import INHERITED, LONGEST_MESSAGE

from ska_oso_oet.mptools import strays

_MODULES = {
    "oet_devices.server": "oet_devices.server",
    "ska_oso_oet.sidecar": "ska_oso_oet.sidecar.command",
    "tango.databaseds.database": "tango.databaseds.database",
}
"""Names for ``python -m``, and the modules whose function ``main`` each of them calls."""

TEST_MARK = "OET_TEST_MARK"
"""Variable by which a test knows what descends from its forkserver; see `leftovers`."""

_READ_LATE = frozenset({"PYTANGO_DATABASE_NAME", "PYTEST_CURRENT_TEST", "TANGO_HOST", strays.MARK, TEST_MARK})
"""Variables that nothing reads while it is imported."""

_COMMON = {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
"""Variables that each program has, or may have, beside those of the tests."""

_of_tests: dict[str, str] = {}

THREAD_NAME = "reader of a preloading process"


class PreloadedProgram:
    """A program that was started by `start`, with what the tests need of `subprocess.Popen`.

    :param pid: its process ID
    :param stdout: what it writes
    """

    def __init__(self, pid: int, output: int) -> None:
        self.pid = pid
        self.stdout = open(output, errors="replace")  # noqa: SIM115  # its reader closes it
        self.returncode: int | None = None
        self._ended = threading.Event()

    def end(self, status: int) -> None:
        """Record the exit status. Called by another thread."""
        self.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set()

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it lives."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return its exit status.

        :param timeout: seconds
        :raises subprocess.TimeoutExpired: if it lives on
        """
        if not self._ended.wait(timeout) or self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it lives."""
        with suppress(ProcessLookupError):
            if self.returncode is None:
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM, if it lives."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, if it lives."""
        self.send_signal(signal.SIGKILL)


def know_environment() -> None:
    """Record the environment of the tests, before the first of them may change it."""
    _of_tests.update((name, value) for name, value in os.environ.items() if name not in _READ_LATE)


def start(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None
) -> PreloadedProgram | None:
    """Start a program, if there is a process that has imported what it needs.

    :param command: the program and its arguments
    :param environment: its variables
    :param folder: where it is started, None for the current one
    :returns: None if it must be started by its command
    """
    if list(command[:2]) != [sys.executable, "-m"] or command[2] not in _MODULES or folder is not None:
        return None
    imported = {name: value for name, value in environment.items() if name not in _READ_LATE}
    if unmeasured({**imported, **_COMMON}) != unmeasured({**_of_tests, **_COMMON}):
        return None
    module = _MODULES[command[2]]
    if module not in _preloaders:
        _preloaders[module] = _Preloader(module)
    return _preloaders[module].start(command[2:], environment)


def preloaders() -> list[int]:
    """Return the process IDs of the processes that are forked for each program."""
    return [each.process.pid for each in _preloaders.values()]


class _Preloader:
    """A process that has imported a module, and is forked for each program.

    :param module: name of the module
    """

    def __init__(self, module: str) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.preloading_process", str(number), module],
                stdin=subprocess.DEVNULL,
                env={**_of_tests, **_COMMON},
                pass_fds=[number],
            )
        self._lock = threading.Lock()
        self._outputs: queue.SimpleQueue[int] = queue.SimpleQueue()  # of programs that are being started
        self._started: queue.SimpleQueue[PreloadedProgram] = queue.SimpleQueue()
        threading.Thread(target=self._read, name=THREAD_NAME, daemon=True).start()

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> PreloadedProgram:
        reader, writer = os.pipe()
        request = json.dumps(
            {
                "program": command[0],
                "arguments": command[1:],
                "environment": dict(environment),
                "folder": os.getcwd(),
                "ignored": [each for each in INHERITED if signal.getsignal(each) is signal.SIG_IGN],
            }
        )
        with self._lock:
            try:
                self._outputs.put(reader)
                socket.send_fds(self._control, [request.encode()], [writer])
            finally:
                os.close(writer)
            return self._started.get(timeout=PATIENCE)

    def _read(self) -> None:
        programs: dict[int, PreloadedProgram] = {}
        while message := self._control.recv(LONGEST_MESSAGE):
            report: dict[str, int] = json.loads(message)
            pid = report["pid"]
            if "status" in report:
                programs.pop(pid).end(report["status"])
            else:
                programs[pid] = PreloadedProgram(pid, self._outputs.get())
                self._started.put(programs[pid])


_preloaders: dict[str, _Preloader] = {}
