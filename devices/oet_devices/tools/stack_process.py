"""One process of the stack: started, watched until it is ready, logged, ended."""

import asyncio
import logging
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from ska_oso_oet import logs
from ska_oso_oet.mptools import posix

_KILL_TIMEOUT = 1.0
"""Seconds that the end of a killed process may take."""


class StackError(RuntimeError):
    """The stack cannot run. The message is one line for the user."""


class Part:
    """A process that belongs to the stack.

    :param name: its name, for people
    :param command: what to execute
    :param environment: environment variables in addition to those of this process
    :param log: file that its output goes to
    :param on_trouble: called with each line of the log that a person should see
    """

    START_TIMEOUT = 90.0

    MAX_LOG = 10 << 20
    """Bytes of a log; those before it are kept, with ``.1``, ``.2``, … at the end of their names."""

    LOGS = 5
    """How many logs are kept, the present one included."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        on_trouble: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.name = name
        self._command = command
        self._environment = environment
        self._log = log
        self._on_trouble = on_trouble
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last_line = ""

    async def start(self, ready: str) -> re.Match[str]:
        """Start the process and wait until it is ready.

        :param ready: pattern of the line that it then prints
        :returns: the match of the pattern
        :raises StackError: if it ends, or is not ready in time
        """
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env={**os.environ, **self._environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # A Ctrl-C is for the stack alone, which ends its parts in order; its sudden end is theirs.
            start_new_session=True,
            preexec_fn=posix.die_with_parent,
        )
        is_ready: asyncio.Future[re.Match[str]] = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(re.compile(ready), is_ready))
        try:
            return await asyncio.wait_for(is_ready, self.START_TIMEOUT)
        except TimeoutError:
            raise StackError(
                f"{self.name} is not ready after {self.START_TIMEOUT:g} s: see {self._log}"
            ) from None

    async def _read(self, ready: re.Pattern[str], is_ready: "asyncio.Future[re.Match[str]]") -> None:
        assert self._process is not None, "started by the caller"  # noqa: S101
        assert self._process.stdout is not None, "asked for at the start"  # noqa: S101
        with ExitStack() as opened:
            # The log of an earlier stack is kept.
            log = opened.enter_context(self._log.open("ab"))
            while line := await _read_line(self._process.stdout):
                if log.tell() + len(line) > self.MAX_LOG:
                    opened.close()
                    self._rotate()
                    log = opened.enter_context(self._log.open("wb"))
                self._take(line, log)
                if not is_ready.done() and (match := ready.search(self._last_line)):
                    is_ready.set_result(match)
        status = await self._process.wait()
        if not is_ready.done():
            is_ready.set_exception(StackError(f"{self._describe_end(status)} before it was ready"))

    def _take(self, line: bytes, log: IO[bytes]) -> None:
        log.write(line)
        log.flush()
        self._last_line = line.decode("utf-8", "replace").strip() or self._last_line
        level = logs.level_of(self._last_line)
        if level is not None and level >= logging.WARNING:
            self._on_trouble(self._last_line)

    def _rotate(self) -> None:
        """Make room for a new log: each older one gets the next number, the oldest is removed."""
        names = [self._log, *(self._log.with_name(f"{self._log.name}.{n}") for n in range(1, self.LOGS))]
        for older, newer in zip(reversed(names), reversed(names[:-1]), strict=False):
            with suppress(FileNotFoundError):
                newer.replace(older)

    async def ended(self) -> str:
        """Wait until the process has ended, and return a sentence that says how."""
        assert self._reader is not None, "started by the caller"  # noqa: S101
        # A caller that stops waiting must not end the reading.
        await asyncio.shield(self._reader)
        assert self._process is not None, "started by the caller"  # noqa: S101
        return self._describe_end(self._process.returncode)

    def _describe_end(self, status: int | None) -> str:
        return f"{self.name} ended (status {status}; {self._last_line or 'no output'}; see {self._log})"

    async def stop(self, timeout: float) -> None:
        """End the process: by SIGTERM, and if that has no effect, by SIGKILL.

        :param timeout: seconds that it is given after SIGTERM
        """
        if self._process is None or self._reader is None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), timeout)
        except TimeoutError:
            self.kill()
            # With a limit: children of the process may keep its output open.
            await asyncio.wait([self._reader], timeout=_KILL_TIMEOUT)

    def kill(self) -> None:
        """End the process at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    """Return the next line of a stream, nothing at its end. Of one that is too long the rest is returned."""
    while True:
        try:
            return await stream.readline()
        except ValueError:  # too long: its beginning was dropped
            continue
