"""Samples of the disk and the processes of a server, which take a while: a thread reads them at intervals."""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from ska_oso_oet.model import ProcessFigures

_AGE = 5.0
"""Seconds after which a request causes a new sample."""

_JOURNAL = ("journal.sqlite", "journal.sqlite-wal")

_NOTHING: dict[str, Any] = {
    "journal_bytes": None,
    "state_directory_free_bytes": None,
    "server": None,
    "workers": None,
}


class Samples:
    """The newest sample of disk and processes. A thread takes it, and no caller waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._newest = _NOTHING
        self._taken = 0.0
        self._looking = False

    def newest(self, directory: Path | None) -> dict[str, Any]:
        """Return the newest sample, and start another one if it is old.

        :param directory: the state directory; None if there is none
        :returns: fields of `ControllerFigures`
        """
        with self._lock:
            if not self._looking and time.monotonic() - self._taken >= _AGE:
                self._looking = True
                threading.Thread(target=self._look, args=[directory], name="oet-figures", daemon=True).start()
            return self._newest

    def _look(self, directory: Path | None) -> None:
        found = dict(_NOTHING)
        try:
            own = psutil.Process()
            found["server"] = _used([own])
            found["workers"] = _used(own.children(recursive=True))
            if directory is not None:
                found |= _disk(directory)
        except (psutil.Error, OSError):
            pass  # unknown figures are not shown
        finally:
            with self._lock:
                self._newest, self._taken, self._looking = found, time.monotonic(), False


def _disk(directory: Path) -> dict[str, int | None]:
    disk = os.statvfs(directory)
    sizes = []
    for name in _JOURNAL:
        with suppress(FileNotFoundError):
            sizes.append((directory / name).stat().st_size)
    free = disk.f_bavail * disk.f_frsize
    return {"journal_bytes": sum(sizes) if sizes else None, "state_directory_free_bytes": free}


def _used(processes: Iterable[psutil.Process]) -> ProcessFigures:
    count, seconds, memory, files, threads = 0, 0.0, 0, 0, 0
    for process in processes:
        with suppress(psutil.Error), process.oneshot():  # it may have ended since
            times = process.cpu_times()
            seconds += times.user + times.system
            memory += process.memory_info().rss
            files += process.num_fds()
            threads += process.num_threads()
            count += 1
    return ProcessFigures(
        processes=count, cpu_seconds=seconds, resident_bytes=memory, open_files=files, threads=threads
    )
