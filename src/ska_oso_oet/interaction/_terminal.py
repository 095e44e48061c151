"""Questions on the terminal of a script that runs outside of the OET."""

import os
import select
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ska_oso_oet.model import QuestionRequest

_asking = threading.Lock()
"""One question at a time."""


def ask_on_terminal(request: "QuestionRequest") -> Any:
    """Ask a question on standard error, and read the answer from standard input.

    :param request: the question
    :returns: the answer, checked; after an answer that does not fit, the question is asked again
    :raises TimeoutError: if there was none in time, and there is no default
    :raises RuntimeError: if standard input is at its end, and there is no default
    """
    from ska_oso_oet.model import AnswerError, shown_answer

    deadline = None if request.timeout is None else time.monotonic() + request.timeout
    offered = "" if request.default is None else f" [{shown_answer(request.default)}]"
    with _asking:
        prompt = f"{request.text}\n({request.wanted()}){offered} "
        while True:
            line = _read_line(f"\a{prompt}", deadline)
            if not line:
                return _without_answer(request, line is None)
            try:
                return request.read(line)
            except AnswerError as error:
                prompt = f"{error} "


def _without_answer(request: "QuestionRequest", in_time: bool) -> Any:
    """Return the default of a question that was not answered."""
    if request.default is not None:
        return request.default
    if in_time:
        raise TimeoutError(f"nobody has answered {request.text!r} within {request.timeout:g} s")
    raise RuntimeError(f"nobody can answer {request.text!r}: standard input is at its end")


def _read_line(prompt: str, deadline: float | None) -> str | None:
    """Return a line of standard input, with its end; empty at the end of it, None after the deadline."""
    try:
        descriptor = sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        # A notebook has a function of its own, and no descriptor.
        try:
            return f"{input(prompt)}\n"
        except (EOFError, OSError):
            return ""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    # Without the buffer of sys.stdin: a read of its content cannot have a time limit.
    line = b""
    while not line.endswith(b"\n"):
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not select.select([descriptor], [], [], left)[0]:
            sys.stderr.write("\n")
            return None
        byte = os.read(descriptor, 1)
        if not byte:
            break
        line += byte
    return line.decode(errors="replace")
