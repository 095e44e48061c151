"""Trigger of a publication in another process, at almost no cost: lines through a named pipe."""

import os
from pathlib import Path


class Trigger:
    """The writing end. The reader iterates over the lines of the file, and ends when this is closed.

    :param path: where to make the named pipe
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        # For reading too: opening it does not wait for a reader then, and what is written waits for one.
        self._fd = os.open(path, os.O_RDWR)

    def fire(self, events: int = 1) -> None:
        """Have events published, one right after the other.

        :param events: how many
        """
        os.write(self._fd, b"%d\n" % events)

    def close(self) -> None:
        """Let the reader end."""
        os.close(self._fd)
        self.path.unlink()
