"""Output of a script, shown together with its events."""

import threading
from types import TracebackType
from typing import Self

from .errors import CommandError
from .output_calls import print_received
from .session import Session
from .stream import HttpOutputStream, Pulse

_MARK = "| "
"""Prefix of a line of output among events."""

_LAST_LINES = 10.0
"""Seconds that the last lines may take to arrive once the script has ended."""


class OutputFollower:
    """Prints the output of a procedure as it is written, in a thread of its own.

    Services up to 5.2.0 offer no output: then nothing is printed.

    :param session: with the service that runs the procedure
    :param wanted: whether output is to be printed; None: for people, and not for programs
    """

    def __init__(self, session: Session, wanted: bool | None) -> None:
        self._session = session
        self._wanted = not session.output.as_json if wanted is None else wanted
        self._stream: HttpOutputStream | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread."""
        if self._thread is not None and self._stream is not None:
            self._stream.abort()
            self._thread.join(1.0)

    def follow(self, pid: int | None) -> None:
        """Begin to print the output of a procedure, unless that has begun already.

        :param pid: its ID; None if it is not known yet
        """
        if self._wanted and pid is not None and self._thread is None:
            self._stream = self._session.output_stream(pid, quiet=True)
            # A service that does not answer must not keep this program from ending.
            self._thread = threading.Thread(target=self._print, args=(self._stream,), daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Wait until all lines of a script that has ended are printed."""
        if self._thread is not None:
            self._thread.join(_LAST_LINES)

    def _print(self, stream: HttpOutputStream) -> None:
        try:
            with stream:
                for item in stream:
                    if isinstance(item, Pulse):
                        continue
                    print_received(self._session.output, item, _MARK)
                    if item.output.ended:
                        return
        except CommandError:
            return  # the events of the script show how it continues
