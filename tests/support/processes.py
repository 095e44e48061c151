"""A child process whose output a test can wait for."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support import preloaded_programs
from tests.support.measurement import unmeasured
from tests.support.patience import PATIENCE, patience, wait_until
from tests.support.preloaded_programs import PreloadedProgram

_OF_OTHERS = "which has outlived its server"

_STOP_TIMEOUT = patience(5.0)
"""Seconds that a process may take to end after SIGTERM before it is killed."""


def own_lines(output: str) -> list[str]:
    """Return the lines of a program's output, without those that depend on other tests.

    A controller that starts ends the processes which other tests may have left, and says so.
    """
    return [line for line in output.splitlines() if _OF_OTHERS not in line]


def _is_suspended(pid: int) -> bool:
    """Return whether no thread of a process is executed, after SIGSTOP."""
    states = (
        path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")
    )
    return all(state == "T" for state in states)


class ServerProcess:
    """A process that serves until it is stopped. Its output (both streams) is read as it comes.

    :param command: the program and its arguments
    :param env: variables to set on top of this process's environment
    :param folder: the folder that it is started in, by default that of this process
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, folder: Path | None = None
    ) -> None:
        self.command = list(command)
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        # Python holds back what it writes to a pipe, the line a test waits for included.
        variables = unmeasured({**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})})
        self._process: PreloadedProgram | subprocess.Popen[str] = preloaded_programs.start(
            self.command, variables, folder
        ) or subprocess.Popen(
            self.command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {self.command[-1]}")
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while the process lives."""
        return self._process.poll()

    @property
    def output(self) -> str:
        """All that the process has written up to now."""
        with self._changed:
            return "".join(self._lines)

    def wait_for_output(self, pattern: str) -> re.Match[str]:
        """Wait until a line of the output matches, now or earlier.

        :param pattern: regular expression, searched within each line
        :raises AssertionError: if the process ends, or time passes, without such a line
        :returns: the match
        """
        seen = 0

        def look() -> re.Match[str] | bool:
            nonlocal seen
            new, seen = self._lines[seen:], len(self._lines)
            return next(filter(None, (re.search(pattern, line) for line in new)), None) or self._ended

        what = f"{self.command} writes {pattern!r}"
        match = wait_until(look, what, self._changed, lambda: self.output)
        assert isinstance(match, re.Match), f"it ended before {what}:\n{self.output}"
        return match

    def send_signal(self, number: int) -> None:
        """Send a signal to the process.

        :param number: e.g. signal.SIGTERM
        """
        self._process.send_signal(number)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have the process do nothing, neither answer nor end, as long as the context lasts."""
        self.send_signal(signal.SIGSTOP)
        # Until then some of its threads may still answer.
        wait_until(lambda: _is_suspended(self.pid), f"process {self.pid} hangs")
        try:
            yield
        finally:
            self.send_signal(signal.SIGCONT)

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait until the process has ended by itself.

        :param timeout: seconds
        :raises subprocess.TimeoutExpired: if it lives on
        :returns: its exit status
        """
        returncode = self._process.wait(timeout)
        self._release()
        return returncode

    def terminate(self) -> None:
        """Ask the process to end, with SIGTERM, and do not wait for it."""
        self._process.terminate()

    def stop(self, timeout: float = _STOP_TIMEOUT) -> None:
        """End the process with SIGTERM, or with SIGKILL if it does not obey in time."""
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._release()

    def kill(self) -> None:
        """End the process with SIGKILL, as a crash of its machine would."""
        self._process.kill()
        self._process.wait()
        self._release()

    def _release(self) -> None:
        # A grandchild may hold the pipe open: limit the wait for its end of file.
        self._reader.join(_STOP_TIMEOUT)
        if not self._reader.is_alive() and self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
