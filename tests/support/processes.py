"""A child process whose output a test can wait for."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

_STOP_TIMEOUT = 5.0
"""Seconds that a process may take to end after SIGTERM before it is killed."""


class ServerProcess:
    """A process that serves until it is stopped. Its output (both streams) is read as it comes.

    :param command: the program and its arguments
    :param env: variables to set on top of this process's environment
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        self.command = list(command)
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._ended = False
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Python holds back what it writes to a pipe, the line a test waits for included.
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
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

    def wait_for_output(self, pattern: str, timeout: float = 30.0) -> re.Match[str]:
        """Wait until a line of the output matches, now or earlier.

        :param pattern: regular expression, searched within each line
        :param timeout: seconds
        :raises AssertionError: if the process ends, or time passes, without such a line
        :returns: the match
        """
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self._lines)
                if self._ended or not self._changed.wait(deadline - time.monotonic()):
                    why = "it ended" if self._ended else f"{timeout} s passed"
                    raise AssertionError(f"{why} before {self.command} wrote {pattern!r}:\n{self.output}")

    def send_signal(self, number: int) -> None:
        """Send a signal to the process.

        :param number: e.g. signal.SIGTERM
        """
        self._process.send_signal(number)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Have the process do nothing, neither answer nor end, as long as the context lasts."""
        self.send_signal(signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)  # until then some of its threads may still answer
        try:
            yield
        finally:
            self.send_signal(signal.SIGCONT)

    def wait(self, timeout: float = 30.0) -> int:
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
        # A grandchild may hold the pipe open: do not wait for its end of file for ever.
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
