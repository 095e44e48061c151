"""Secrets of a server: environment variables that are withheld from the programs that it starts.

A script has the rights of its server: it could read them in its own environment, and in
``/proc/PID/environ`` of the server. `withhold` removes them from both; `environment` returns them.
"""

import ctypes
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

OF_CONTROLLER = ("OET_JOURNAL_URL", "PGPASSWORD", "ADMIN_POSTGRES_PASSWORD")
"""Names of the variables with secrets of a device server."""

OF_SIDECAR = ("OET_API_TOKEN",)
"""Names of the variables with secrets of a REST service."""

# Fields of /proc/self/stat behind the name of the program, see proc(5).
_ENV_START, _ENV_END = 47, 48

_withheld: dict[str, str] = {}


def withhold(names: Iterable[str] = (*OF_CONTROLLER, *OF_SIDECAR)) -> None:
    """Remove variables from the environment of this process, and from what other processes can see of it.

    :param names: names of the variables; those that are not set are ignored
    """
    chosen = set(names)
    for name in chosen & set(os.environ):
        _withheld[name] = os.environ.pop(name)
    with suppress(OSError, ValueError, IndexError):
        _erase({os.fsencode(name) for name in chosen})


def environment() -> Mapping[str, str]:
    """Return the environment of this process together with what is withheld from the programs it starts."""
    return {**_withheld, **os.environ}


def chosen(names: Iterable[str]) -> dict[str, str]:
    """Return those of some variables that are set, for a program that needs them.

    :param names: names of the variables
    """
    known = environment()
    return {name: known[name] for name in names if name in known}


def _erase(names: set[bytes]) -> None:
    """Overwrite variables in the memory that the kernel shows as the environment of this process.

    Values that were removed with `unsetenv` are no longer used, but still there.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ENV_START]), int(fields[_ENV_END])
    if not 0 < start < end:
        return
    position = start
    for entry in ctypes.string_at(start, end - start).split(b"\0"):
        if entry.partition(b"=")[0] in names:
            ctypes.memset(position, 0, len(entry))
        position += len(entry) + 1
