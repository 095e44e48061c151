"""Index of the lines of a growing file: finds a line without reading the whole file."""

import os
import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

_BLOCK = 1 << 15
"""Bytes between two places whose line numbers are noted."""


class LineIndex:
    """Numbers of the lines at regular places of one file. Any thread may use it.

    What has been counted once is not read again, so the file must stay as it is, up to its complete lines.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._before = [0]  # how many lines end before each block that has at least one byte

    def read(self, file: IO[bytes], end: int | None, skip: int, limit: int) -> tuple[int, list[bytes]]:
        """Return lines by their number. Lines that cannot be read are left out.

        :param file: the file, opened for reading
        :param end: how many bytes of it count, None for all
        :param skip: how many lines to skip
        :param limit: how many lines to return at most
        :returns: how many lines were skipped, fewer if the file has fewer; and the lines, without their ends
        """
        skipped = 0
        lines: list[bytes] = []
        with suppress(OSError):  # the lines that can be read are better than none
            size = os.fstat(file.fileno()).st_size
            skipped, position = self._place(file, size if end is None else min(size, end), skip)
            file.seek(position)
            for line in _lines(file, position, end):
                if skipped < skip:
                    skipped += 1
                elif len(lines) < limit:
                    lines.append(line)
                else:
                    break
        return skipped, lines

    def _place(self, file: IO[bytes], size: int, skip: int) -> tuple[int, int]:
        """Return a place that is near a line, and not behind its beginning.

        :param size: how many bytes of the file count
        :param skip: how many lines are before the line
        :returns: how many lines end before the place; and the place, in bytes from the beginning
        """
        with self._lock:
            while self._before[-1] < skip and len(self._before) * _BLOCK < size:
                file.seek((len(self._before) - 1) * _BLOCK)
                self._before.append(self._before[-1] + file.read(_BLOCK).count(b"\n"))
            block = max(0, bisect_left(self._before, skip) - 1)
            return self._before[block], block * _BLOCK


def _lines(file: IO[bytes], position: int, end: int | None) -> Iterator[bytes]:
    """Yield the lines of a file from where it is, up to an end, if there is one."""
    for line in file:
        position += len(line)
        if end is not None and position > end:
            return
        yield line.removesuffix(b"\n")
