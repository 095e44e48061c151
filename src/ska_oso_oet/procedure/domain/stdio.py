"""Standard streams of a worker: nothing to read, and all that is written goes to the manager."""

import faulthandler
import io
import logging
import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection


class _LiveStream(io.TextIOWrapper):
    """Writes at once: a reader sees also a line that is not complete, and a crash loses nothing."""

    def write(self, text: str, /) -> int:
        """Write text, and flush it."""
        written = super().write(text)
        self.flush()
        return written


def redirect_stdio(output: Connection) -> None:
    """Let standard output, standard error and logging go to one pipe, in the order in which they are written.

    Also what C libraries and subprocesses write goes there.

    :param output: the pipe; closed, for it is the standard streams that keep it open from now on
    """
    os.set_blocking(output.fileno(), True)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    output.close()
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = _LiveStream(os.fdopen(1, "wb", closefd=False), "utf-8", "backslashreplace")
    sys.stderr = _LiveStream(os.fdopen(2, "wb", closefd=False), "utf-8", "backslashreplace")
    # Where C code crashes, this tells at which line of the script.
    faulthandler.enable(2, all_threads=False)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )


def flush_stdio() -> None:
    """Write what is still buffered, as far as the script has left the streams usable."""
    for stream in (sys.stdout, sys.stderr):
        # A script may have closed a stream, or put anything at all in its place.
        with suppress(Exception):
            stream.flush()
