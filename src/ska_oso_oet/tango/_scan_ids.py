"""Scan IDs: integers that are never assigned twice."""

import fcntl
import json
import os
import threading
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

import tango

from ._shared_counter import SharedCounter, TurnLostError

SCAN_ID_FILE_VARIABLE = "OET_SCAN_ID_FILE"
"""Environment variable: path of the file that numbers the scans of all scripts of a controller."""

SCAN_ID_USER_VARIABLE = "OET_SCAN_ID_USER"
"""Environment variable: name of the controller, which numbers its scans together with all controllers of its
Tango database."""

SKUID_URL_VARIABLE = "SKUID_URL"
"""Environment variable: ``host:port`` or URL of the SKUID service."""

MAX_SCAN_ID = 2**48
"""The greatest scan ID that SKUID assigns."""

_FILE_MODE = 0o644
_DIGITS = 20
_SKUID_TIMEOUT = 5.0
_SKUID_ANSWER_LIMIT = 10_000


class ScanIdError(RuntimeError):
    """No scan ID is available."""


class ScanIdGenerator(Protocol):
    """Interface of generators of scan IDs."""

    @property
    def value(self) -> int:
        """Get the current scan ID."""

    def next(self) -> int:
        """Get the next scan ID."""


class _Generator(ABC):
    """Base of generators: remembers the last scan ID."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._value: int | None = None

    @property
    def value(self) -> int:
        """Get the current scan ID: what `next` returned last, or a new one if it was not called yet.

        :raises ScanIdError: if no scan ID is available
        """
        with self._lock:
            return self.next() if self._value is None else self._value

    def next(self) -> int:
        """Get the next scan ID.

        :raises ScanIdError: if no scan ID is available
        :returns: integer scan ID
        """
        with self._lock:
            self._value = self._draw()
            return self._value

    @abstractmethod
    def _draw(self) -> int:
        """Return a number that was never assigned."""


class LocalScanIdGenerator(_Generator):
    """Numbers scans without SKUID.

    Scripts of the OET have two environment variables. With OET_SCAN_ID_USER, the name of the controller, the
    numbers are unique among all controllers of the Tango database, which counts them. With OET_SCAN_ID_FILE,
    they are unique among all that use this file: all scripts of a controller, one after the other or at the
    same time, over restarts too. With both, the file keeps the count if the database loses it. Without them,
    they are unique within this generator.

    :param start: the first scan ID; with a file or a database, the least one
    """

    def __init__(self, start: int = 1) -> None:
        super().__init__()
        self._last = start - 1
        path = os.environ.get(SCAN_ID_FILE_VARIABLE)
        self._path = Path(path) if path else None
        self._user = os.environ.get(SCAN_ID_USER_VARIABLE)
        self._counter: SharedCounter | None = None

    def _draw(self) -> int:
        least = self._last + 1
        try:
            self._last = (
                self._count(least) if self._path is None else _count_in_file(self._path, least, self._count)
            )
        except OSError as error:
            raise ScanIdError(
                f"the file that numbers scans cannot be used: {error}; check that {SCAN_ID_FILE_VARIABLE} "
                "names a file in a folder that exists and can be written to"
            ) from error
        return self._last

    def _count(self, least: int) -> int:
        """Return a number that no other controller has, and that is not smaller than `least`.

        :raises ScanIdError: if that cannot be ensured
        """
        if not self._user:
            return least
        try:
            if self._counter is None:
                self._counter = SharedCounter(self._user)
            return self._counter.next(least)
        except (tango.DevFailed, TurnLostError) as error:
            reason = error.args[0].desc.strip() if isinstance(error, tango.DevFailed) else str(error)
            raise ScanIdError(
                "no scan ID from the Tango database, which numbers the scans of all its controllers: "
                f"{reason}; check that the database runs, that TANGO_HOST names it, and that scripts may "
                "write "
                "to it"
            ) from error


def _count_in_file(path: Path, least: int, count: Callable[[int], int]) -> int:
    """Increment the number in a file, as one step among all processes that do so.

    :param path: the file, created if there is none
    :param least: smallest number to return
    :param count: returns the next number, for the smallest one that it may be
    :raises OSError: if the file cannot be opened or written
    :raises ScanIdError: if the file does not contain a number
    :returns: the number that is in the file now
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        number = count(max(_number_in(os.pread(descriptor, _DIGITS + 1, 0), path) + 1, least))
        # One write of constant length, so that a script killed here leaves the old number or the new one.
        os.pwrite(descriptor, f"{number:0{_DIGITS}d}\n".encode(), 0)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)  # which unlocks it
    return number


def _number_in(content: bytes, path: Path) -> int:
    if not content:
        return 0
    try:
        return int(content)
    except ValueError:
        # Starting again at 1 would assign numbers twice.
        raise ScanIdError(
            f"{path} should contain the last scan ID, but contains {content!r}; write a number into it that "
            "is "
            "greater than any scan ID used so far"
        ) from None


class RemoteScanIdGenerator(_Generator):
    """Takes scan IDs from the SKUID service (ska-ser-skuid), which numbers scans observatory-wide.

    :param hostname: ``host:port`` of the service, or its URL
    """

    def __init__(self, hostname: str) -> None:
        super().__init__()
        base = hostname if "://" in hostname else f"http://{hostname}"
        self._url = f"{base.rstrip('/')}/skuid/ska_scan_id"

    def _draw(self) -> int:
        try:
            body = self._get()
        except (OSError, HTTPException, ValueError) as error:
            raise ScanIdError(
                f"no scan ID from SKUID at {self._url}: {error}; check that the service runs and that "
                f"{SKUID_URL_VARIABLE} is its host:port, or unset it to number scans without SKUID"
            ) from error
        return _scan_id_in(body, self._url)

    def _get(self) -> str:
        # Not httpx: a script may run in an environment of its own, which need not have it.
        if not self._url.startswith(("http://", "https://")):
            raise ValueError("that is not an HTTP address")
        with urllib.request.urlopen(self._url, timeout=_SKUID_TIMEOUT) as answer:  # noqa: S310
            return str(answer.read(_SKUID_ANSWER_LIMIT), "utf-8", "replace")


def _scan_id_in(body: str, url: str) -> int:
    """Return the scan ID in an answer of SKUID: ``{"scan_id": 5}``, encoded as JSON once or twice.

    :raises ScanIdError: if there is none
    """
    try:
        answer: Any = json.loads(body)
        if isinstance(answer, str):
            answer = json.loads(answer)
    except ValueError:
        answer = None
    scan_id = answer.get("scan_id") if isinstance(answer, dict) else answer
    if type(scan_id) is not int or not 0 <= scan_id <= MAX_SCAN_ID:
        raise ScanIdError(
            f"{url} answered {body[:200]!r}, which contains no scan "
            f"ID; check that {SKUID_URL_VARIABLE} is the address of SKUID"
        )
    return scan_id


def scan_id_generator() -> ScanIdGenerator:
    """Return a generator of scan IDs: SKUID where SKUID_URL is set, otherwise a local one."""
    skuid = os.environ.get(SKUID_URL_VARIABLE)
    return RemoteScanIdGenerator(skuid) if skuid else LocalScanIdGenerator()
