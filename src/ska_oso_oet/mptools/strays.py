"""Processes that have outlived the server that they belong to.

A forkserver kills what is below it when its server ends. If it is killed together with its server, processes
that a script has detached continue to run. So all descendants of a server have the server's name in their
environment, and the next server ends those whose server is dead. Processes with another environment are found
by their working directory.
"""

import logging
import os
from contextlib import suppress
from pathlib import Path

from . import posix

LOGGER = logging.getLogger(__name__)

MARK = "OET_SERVER_PROCESS"
"""Environment variable that names the server which a process belongs to."""

_PROC = Path("/proc")


def mark_descendants() -> None:
    """Mark the processes that are started from now on, and their descendants, with the name of this one."""
    with suppress(OSError):
        if (name := _name(os.getpid())) is not None:
            os.environ[MARK] = name


def has_lost_its_server() -> bool:
    """Return whether this process was started by a server that has ended meanwhile."""
    _, pid, _ = os.environ.get(MARK, "--").split("-")
    return bool(pid) and int(pid) != os.getppid()


def kill_strays(workplaces: Path | None = None) -> None:
    """Kill the processes that carry the name of a server which is dead.

    :param workplaces: folder in which only processes of dead servers can be working: those are killed, too
    """
    home = workplaces.resolve() if workplaces is not None else None
    entries = [entry for entry in _PROC.iterdir() if entry.name.isdigit()]
    for entry in entries:
        owner = _owner(entry)
        if (owner is not None and _is_dead(owner)) or (home is not None and _works_in(entry, home)):
            LOGGER.warning("Killing process %s, which has outlived its server", entry.name)
            posix.kill_tree(int(entry.name))


def _name(pid: int) -> str | None:
    """Return a name that no other process ever has, None if there is no such process or it is dead.

    The other parts are needed because process IDs are used again, and differ between containers.

    :raises OSError: if that cannot be found out, e.g. without a descriptor: such a process may live
    """
    try:
        fields = posix.stat_fields(f"{_PROC}/{pid}")
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[posix.STATE] in posix.DEAD else f"{namespace}-{pid}-{fields[posix.START_TIME]}"


def _owner(entry: Path) -> str | None:
    """Return the name of the server that a process belongs to."""
    try:
        environment = (entry / "environ").read_bytes().split(b"\0")
    except OSError:
        return None  # it has ended, or belongs to another user
    prefix = f"{MARK}=".encode()
    values = (each.removeprefix(prefix) for each in environment if each.startswith(prefix))
    return next((value.decode(errors="replace") for value in values), None)


def _works_in(entry: Path, folder: Path) -> bool:
    """Return whether a process has its working directory below a folder."""
    try:
        return folder in Path(os.readlink(entry / "cwd")).parents
    except OSError:
        return False  # it has ended, or belongs to another user


def _is_dead(owner: str) -> bool:
    try:
        namespace, pid, _ = (int(part) for part in owner.split("-"))
        here = os.stat("/proc/self/ns/pid").st_ino
    except (ValueError, OSError):
        return False
    # Nothing is known here about a server in another container.
    return namespace == here and _name(pid) != owner
