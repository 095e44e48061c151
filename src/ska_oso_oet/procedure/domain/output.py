"""The captured output of one script: on disk within a bound, its last lines at hand."""

import logging
import os
import re
import threading
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

LOGGER = logging.getLogger(__name__)

MAX_LINE = 1 << 14
"""Bytes after which a line is broken."""
TAIL_LINES = 256

_CHUNK = 1 << 16
_LOG_NAME = re.compile(r"(\d+)\.log\b")


class OutputLog:
    """Writes and reads the output of one procedure.

    The newest part is in ``<id>.log``; what came before it in ``<id>.log.<number of its first line>``,
    which is dropped once it in turn has a successor. One thread writes, any thread may read.

    :param folder: where the files are
    :param procedure_id: whose output it is
    :param max_bytes: how much to keep, in bytes, about
    """

    def __init__(self, folder: Path, procedure_id: int, max_bytes: int = 8 << 20) -> None:
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

    # Writing

    def open(self) -> None:
        """Begin a new log. Where that is impossible, the last lines are kept in memory all the same."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._create()
        except OSError as error:
            self._give_up(error)

    def _create(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)

    def feed(self, data: bytes) -> None:
        """Add output as it was read from the script. A disk that fails costs the file, not the tail.

        :param data: any part of the output
        """
        *whole, rest = (self._partial + data).split(b"\n")
        complete = [part for line in whole for part in _broken(line)]
        *begun, rest = _broken(rest)
        complete += begun
        with self._lock:
            self._partial = rest
            self._add(complete)

    def _add(self, lines: list[bytes]) -> None:
        """Add complete lines, and behind them on disk the one that is not: a crash must not cost that."""
        self._tail.extend(_text(line) for line in lines[-TAIL_LINES:])
        if self._file is None:
            return
        try:
            data = b"".join(line + b"\n" for line in lines)
            if self._size and self._size + len(data) > self._segment_bytes:
                self._file = self._rotate(self._file)
            _write_all(self._file, (data + self._partial)[self._begun :])
            self._size += len(data)
            self._lines += len(lines)
            self._begun = len(self._partial)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        if self._file is not None:
            self._end_part(self._file)
            self._file = None
        self._tail.append(f"[output is not written to disk: {error.strerror}]")

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
        return self._create()

    def close(self) -> None:
        """End the log; an unfinished last line is finished."""
        with self._lock:
            if self._partial:
                last, self._partial = self._partial, b""
                self._add([last])
            if self._file is not None:
                _close(self._file)
                self._file = None

    # Reading

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
        :param limit: how many to return at the most
        :returns: the number of the first line returned, which is greater than `after` where lines have been
            dropped, and the lines
        """
        found: list[str] = []
        with ExitStack() as opened:
            first, parts = self._open_parts(opened)
            position = first
            for file, end in parts:
                skipped, lines = _lines_of(file, end, max(0, after - position), limit - len(found))
                position += skipped + len(lines)
                found += lines
                if len(found) >= limit:
                    break
        return max(after, first) if found else max(first, min(after, position)), found

    def _open_parts(self, opened: ExitStack) -> tuple[int, list[tuple[IO[bytes], int | None]]]:
        """Return the number of the first line, and the parts: each with its end, None for all there is.

        Whatever is written from now on, these stay as they are: so whoever writes need not wait for a reader.
        """
        with self._lock:
            older = self._older()
            first = older[0][0] if older else self._first_line
            # Where nobody writes any more, an unfinished line is the last that was heard.
            end_of_newest = None if self._file is None else self._size
            ends = [*((path, None) for _, path in older), (self._path, end_of_newest)]
            parts: list[tuple[IO[bytes], int | None]] = []
            for path, end in ends:
                with suppress(OSError):  # there is none, or it could not even be made
                    parts.append((opened.enter_context(path.open("rb", buffering=_CHUNK)), end))
        return first, parts

    def _older(self) -> list[tuple[int, Path]]:
        """Return the older parts, each with the number of its first line."""
        pattern = re.compile(re.escape(self._path.name) + r"\.(\d+)")
        names = os.listdir(self._path.parent) if self._path.parent.is_dir() else []
        return sorted(
            (int(match[1]), self._path.with_name(name))
            for name in names
            if (match := pattern.fullmatch(name))
        )


def prune_logs(folder: Path, keep: int, live: Collection[int] = ()) -> None:
    """Remove the output of all but the newest procedures. What cannot be removed stays.

    :param folder: where the files are
    :param keep: of how many procedures to keep the output
    :param live: procedures whose output is kept, however old they are
    """
    try:
        _prune(folder, keep, live)
    except OSError as error:
        LOGGER.warning("Old output in %s cannot be removed: %s", folder, error)


def _prune(folder: Path, keep: int, live: Collection[int]) -> None:
    names = os.listdir(folder) if folder.is_dir() else []
    logs = {name: int(match[1]) for name in names if (match := _LOG_NAME.match(name))}
    kept = {*sorted(set(logs.values()), reverse=True)[:keep], *live}
    for name in (name for name, procedure_id in logs.items() if procedure_id not in kept):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            # It takes space, no more: nobody's observation is to fail for that.
            LOGGER.warning("An old log cannot be removed: %s", error)


def _lines_of(file: IO[bytes], end: int | None, skip: int, limit: int) -> tuple[int, list[str]]:
    """Return how many lines of a file were skipped, and up to `limit` of those that follow.

    :param end: how many bytes of the file count, None for all
    """
    skipped = 0
    lines: list[str] = []
    for line in _raw_lines(file, end):
        if skipped < skip:
            skipped += 1
        elif len(lines) < limit:
            lines.append(_text(line))
        else:
            break
    return skipped, lines


def _raw_lines(file: IO[bytes], end: int | None) -> Iterator[bytes]:
    position = 0
    with suppress(OSError):  # what the disk gives is better than nothing
        for line in file:
            position += len(line)
            if end is not None and position > end:
                return
            yield line.removesuffix(b"\n")


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


def _broken(line: bytes) -> list[bytes]:
    """Return the parts that a line is broken into if it is too long."""
    return [line[start : start + MAX_LINE] for start in range(0, len(line), MAX_LINE)] or [line]


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").removesuffix("\r")
