"""Place of a stack: its state directory and its ports, which it does not share with another stack."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .stack_process import StackError


def require_free_port(host: str, port: int, option: str) -> int:
    """Return a port that is free: the one that was asked for, or any if that is 0.

    :raises StackError: if it is taken
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StackError(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                f"end what uses it, or choose another with {option}"
            ) from None
        return int(probe.getsockname()[1])


@contextmanager
def own_directory(directory: Path) -> Iterator[None]:
    """Lock a folder for this stack.

    :raises StackError: if another one does, or the folder cannot be used
    """
    lock = directory / "stack.lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+")
    except OSError as error:
        raise StackError(f"the state directory {directory} cannot be used: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise StackError(
                f"the state directory {directory} is used by another stack (process {file.read().strip()}): "
                "end that, or choose another folder with --state-dir"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def default_state_directory(tango_port: int) -> Path:
    """Return the folder of a stack for which no other folder is chosen.

    :param tango_port: port of its Tango database
    """
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "ska-oso-oet" / f"stack-{tango_port}"
