"""Captured output of one script: on disk within a bound, its last lines in memory."""

import logging
import os
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

from .line_index import LineIndex

LOGGER = logging.getLogger(__name__)

MAX_LINE = 1 << 14
"""Bytes after which a line is broken."""
TAIL_LINES = 256

_CHUNK = 1 << 16


class OutputLog:
    """Writes and reads the output of one procedure.

    The newest part is in ``<id>.log``; what came before it in ``<id>.log.<number of its first line>``,
    which is dropped once it in turn has a successor. One thread writes, any thread may read.

    Lines that a full disk does not take are lost, and counted: the lines after them have the numbers that
    they would have had. An empty part, named after the first line that was written again, says so to readers.

    :param folder: where the files are
    :param procedure_id: whose output it is
    :param max_bytes: approximate number of bytes to keep
    :param on_fault: called, by the thread that writes, with the reason when lines begin to be lost, and with
        None when lines are written again or no more are expected
    """

    def __init__(
        self,
        folder: Path,
        procedure_id: int,
        max_bytes: int = 8 << 20,
        on_fault: Callable[[str | None], None] = lambda reason: None,
    ) -> None:
        self._path = folder / f"{procedure_id}.log"
        self._segment_bytes = max_bytes // 2
        self._lock = threading.Lock()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._partial = b""
        self._file: int | None = None
        self._size = 0
        self._first_line = 0  # number of the first line in the newest part
        self._lines = 0  # complete lines in the newest part
        self._begun = 0  # bytes behind them, of a line that is not complete
        self._on_fault = on_fault
        self._reported: str | None = None
        self._reason: str | None = None  # why lines are lost
        self._indexes: dict[tuple[int, int], LineIndex] = {}  # by first line and inode of a part
        self._lost: int | None = None  # lines after them that are not on disk; None while all is written

    # Writing

    def open(self) -> None:
        """Begin a new log. While that is impossible, the last lines are still kept in memory."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _create(self._path)
        except OSError as error:
            self._interrupt(error)
        self._report(self._reason)

    def _report(self, reason: str | None) -> None:
        if reason != self._reported:
            self._reported = reason
            self._on_fault(reason)

    def retry(self) -> None:
        """Write again, if lines are being lost and the disk takes more. Called by the thread that writes."""
        with self._lock:
            if self._lost is not None:
                self._add([])
        self._report(self._reason)

    def feed(self, data: bytes) -> None:
        """Add output as it was read from the script. If the disk fails, the lines of that time are lost.

        :param data: any part of the output
        """
        text = self._partial + data
        *whole, rest = text.split(b"\n")
        if b"\r" in text:
            whole, rest = [_replaced(line) for line in whole], _replaced(rest)
        complete = [part for line in whole for part in _broken(line)]
        *begun, rest = _broken(rest)
        complete += begun
        with self._lock:
            if not next(iter([*complete, rest])).startswith(self._partial):
                self._take_back()
            self._partial = rest
            self._add(complete)
        self._report(self._reason)

    def _take_back(self) -> None:
        """Remove the line that is not complete from disk: another one replaces it."""
        if self._file is None or not self._begun:
            return
        try:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            self._begun = 0
        except OSError as error:
            self._interrupt(error)

    def _add(self, lines: list[bytes]) -> None:
        """Add complete lines, and behind them on disk the one that is not: a crash must not cost that."""
        self._tail.extend(_text(line) for line in lines[-TAIL_LINES:])
        try:
            if self._lost is not None:
                self._resume(lines)
            elif self._file is not None:
                self._write(self._file, lines)
        except OSError as error:
            self._interrupt(error, len(lines))

    def _write(self, file: int, lines: list[bytes]) -> None:
        data = b"".join(line + b"\n" for line in lines)
        if self._size and self._size + len(data) > self._segment_bytes:
            file = self._file = self._rotate(file)
        _write_all(file, (data + self._partial)[self._begun :])
        self._size += len(data)
        self._lines += len(lines)
        self._begun = len(self._partial)

    def _interrupt(self, error: OSError, lost: int = 0) -> None:
        """Stop writing until there is further output, and count the lost lines."""
        if self._lost is None:
            self._reason = str(error.strerror)
            self._tail.append(f"[output is not written to disk: {error.strerror}]")
            self._lost = 0
        self._lost += lost
        if self._file is not None:
            self._end_part(self._file)
            self._file = None

    def _resume(self, lines: list[bytes]) -> None:
        """Write again, in a new part, if the disk allows it; the newest part so far is kept.

        :raises OSError: if it does not; then nothing is changed
        """
        data = b"".join(line + b"\n" for line in lines)
        successor = self._path.with_name(f"{self._path.name}.next")
        first = self._first_line + self._lines + (self._lost or 0)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = _create(successor)
        try:
            _write_all(file, data + self._partial)
            if self._lines:
                self._make_room(len(data))
                self._path.rename(f"{self._path}.{self._first_line}")
            os.close(_create(self._path.with_name(f"{self._path.name}.{first}")))
            successor.rename(self._path)
        except OSError:
            _close(file)
            with suppress(OSError):
                successor.unlink()
            raise
        self._file = file
        self._first_line, self._lines, self._size = first, len(lines), len(data)
        self._begun = len(self._partial)
        self._lost = self._reason = None

    def _make_room(self, wanted: int) -> None:
        """Remove the oldest parts until all of them together are within the bound."""
        older = [path for _, path in self._older()]
        while (
            older and sum(path.stat().st_size for path in older) + self._size + wanted > self._segment_bytes
        ):
            older.pop(0).unlink()

    def _end_part(self, file: int) -> None:
        """Close the newest part, without a line that was not completed in it."""
        with suppress(OSError):
            os.ftruncate(file, self._size)
        self._begun = 0
        _close(file)

    def _rotate(self, file: int) -> int:
        """Begin a new part, and return its file."""
        self._file = None
        self._end_part(file)
        for _, older in self._older():
            older.unlink()
        self._path.rename(f"{self._path}.{self._first_line}")
        self._first_line += self._lines
        self._lines = self._size = 0
        return _create(self._path)

    def close(self) -> None:
        """End the log; an unfinished last line is finished."""
        with self._lock:
            if self._partial:
                last, self._partial = self._partial, b""
                self._add([last])
            if self._lost:
                # For readers to know how many lines are missing at the end.
                with suppress(OSError):
                    self._resume([])
            if self._file is not None:
                _close(self._file)
                self._file = None
        self._report(None)

    # Reading

    @property
    def exists(self) -> bool:
        """Whether there is a log on disk; every procedure that is kept has one, also if it writes nothing.

        :raises OSError: if there is one that cannot be read
        """
        try:
            with self._path.open("rb"):
                return True
        except FileNotFoundError:
            return False

    def tail(self) -> list[str]:
        """Return the last lines, an unfinished one included."""
        if not self._tail and self._file is None:
            self._tail.extend(self._read_tail())
        with self._lock:
            return [*self._tail, _text(self._partial)] if self._partial else list(self._tail)

    def _read_tail(self) -> list[str]:
        """Read the last lines of a log that an earlier server, or procedure, has written."""
        try:
            with self._path.open("rb") as file:
                start = max(0, self._path.stat().st_size - TAIL_LINES * 256)
                file.seek(start)
                lines = file.read().splitlines()
        except OSError:
            return []
        return [_text(line) for line in (lines[1:] if start else lines)]

    def read(self, after: int, limit: int) -> tuple[int, list[str]]:
        """Return lines by their number.

        :param after: how many lines to skip from the beginning of the output
        :param limit: how many to return at most
        :returns: the number of the first line returned, which is greater than `after` where lines have been
            dropped, and the lines
        """
        found: list[str] = []
        first = position = 0
        with ExitStack() as opened:
            for number, file, end in self._open_parts(opened):
                if found and number is not None and number > position:
                    break  # lines between are lost
                position = position if number is None else max(position, number)
                index = self._index(position, file)
                skipped, lines = index.read(file, end, max(0, after - position), limit - len(found))
                if lines and not found:
                    first = position + skipped
                position += skipped + len(lines)
                found += map(_text, lines)
                if len(found) >= limit:
                    break
        return first if found else position, found

    def _index(self, first: int, file: IO[bytes]) -> LineIndex:
        """Return the index of a part.

        :param first: number of its first line, which no later part has
        :param file: the part; there may also be an empty one with that number
        """
        with self._lock:
            return self._indexes.setdefault((first, os.fstat(file.fileno()).st_ino), LineIndex())

    def _open_parts(self, opened: ExitStack) -> list[tuple[int | None, IO[bytes], int | None]]:
        """Return the parts: the number of its first line, None if it follows the part before; file; end.

        The end is None for all there is. Later output does not change them: so a writer need not wait for a
        reader.
        """
        with self._lock:
            older = self._older()
            # Without a writer, an unfinished line is the last one.
            end_of_newest = None if self._file is None else self._size
            first_of_newest = None if older else self._first_line
            files = [*((number, path, None) for number, path in older)]
            parts: list[tuple[int | None, IO[bytes], int | None]] = []
            for number, path, end in [*files, (first_of_newest, self._path, end_of_newest)]:
                with suppress(OSError):  # there is none, or it could not be created
                    parts.append((number, opened.enter_context(path.open("rb", buffering=_CHUNK)), end))
            inodes = {os.fstat(file.fileno()).st_ino for _, file, _ in parts}
            self._indexes = {key: index for key, index in self._indexes.items() if key[1] in inodes}
        return parts

    def _older(self) -> list[tuple[int, Path]]:
        """Return the older parts, each with the number of its first line."""
        pattern = re.compile(re.escape(self._path.name) + r"\.(\d+)")
        names = os.listdir(self._path.parent) if self._path.parent.is_dir() else []
        return sorted(
            (int(match[1]), self._path.with_name(name))
            for name in names
            if (match := pattern.fullmatch(name))
        )


def _create(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _write_all(file: int, data: bytes) -> None:
    """Write all of some data: a disk that is almost full takes a part."""
    while data:
        data = data[os.write(file, data) :]


def _close(file: int) -> None:
    """Close a file, whether or not its disk has taken what was written."""
    try:
        os.close(file)
    except OSError as error:
        LOGGER.warning("The end of some output may not be on disk: %s", error.strerror)


def _replaced(line: bytes) -> bytes:
    """Return the visible rest of a line after its carriage returns."""
    text = line.rstrip(b"\r")
    return text[text.rfind(b"\r") + 1 :] + line[len(text) :][:1]


def _broken(line: bytes) -> list[bytes]:
    """Return the parts that a line is broken into if it is too long."""
    return [line[start : start + MAX_LINE] for start in range(0, len(line), MAX_LINE)] or [line]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").removesuffix("\r")
