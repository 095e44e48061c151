"""The file with the tokens of users, which is read again when it has changed."""

import logging
import os
import time
from pathlib import Path

from .named_tokens import NamedToken, read_tokens

LOGGER = logging.getLogger(__name__)

_PACE = 1.0
"""Seconds between two looks at the file."""


class TokenFile:
    """The tokens in a file. A file that cannot be used leaves those that were read before.

    :param path: of the file
    :raises ValueError: if it cannot be used at the start; see `read_tokens`
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = _version(path)
        self._next_look = time.monotonic() + _PACE
        self.tokens: tuple[NamedToken, ...] = read_tokens(path)
        self.fault: str | None = None
        """Why the file as it is now cannot be used, and what to do; None if it can be used."""

    def refresh(self) -> bool:
        """Read the file again if it has changed; look for that at most once in a second.

        :returns: whether there are new tokens
        """
        if time.monotonic() < self._next_look:
            return False
        self._next_look = time.monotonic() + _PACE
        # A change while the file is read is seen at the next look.
        version = _version(self.path)
        if version == self._seen:
            return False
        self._seen = version
        try:
            self.tokens = read_tokens(self.path)
        except ValueError as error:
            self.fault = f"{error}. The tokens that were read before are in use: fix the file."
            LOGGER.error("%s", self.fault)
            return False
        self.fault = None
        LOGGER.info("The file of tokens %s was read again: it has %d tokens.", self.path, len(self.tokens))
        return True


def _version(path: Path) -> tuple[int, ...] | None:
    """Return what is different after a change of a file, or of its permissions; None if there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
