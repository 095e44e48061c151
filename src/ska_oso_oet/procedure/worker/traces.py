"""Stack traces of scripts, also if a script's exceptions fail when they are rendered."""

import os
import sys
import traceback
from collections.abc import Iterator
from types import TracebackType

from ska_oso_oet.model import abridged
from ska_oso_oet.mptools import TerminateInterrupt

from ..domain.errors import ScriptError
from .loader import MODULE_NAME

_OWN_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_MAX_PART = 12_000
"""Characters of one part of a trace that are kept: of a call with its line, or of a message."""

_MAX_CHAIN = 20
"""Exceptions of a chain that are shown where Python itself cannot show them."""


def trace_of(error: BaseException, limit: int) -> str:
    """Format an exception without the frames of script execution above those of the script.

    :param error: the exception
    :param limit: characters of the text, at most
    """
    try:
        parts = _format(error)
    except Exception:  # a script's exception may have attributes of any kind
        parts = list(_format_plainly(error))
    if isinstance(error, TerminateInterrupt):
        parts.append("The process was sent SIGTERM, but not by a request to stop.\n")
    # A name or a message may contain characters that UTF-8 cannot express.
    texts = [part.encode("utf-8", "backslashreplace").decode() for part in parts]
    return abridged("".join(abridged(text, _MAX_PART) for text in texts), limit)


def show_unhandled(error: BaseException, trace: str = "") -> None:
    """Handle an exception that ends a program as Python does: write an exit's message, or call the hook.

    :param error: the exception
    :param trace: its trace, to be written where the script has set no hook of its own
    """
    if isinstance(error, SystemExit):
        if error.code is not None and not isinstance(error.code, int):
            sys.stderr.write(f"{_message_of(error)}\n")
        return
    trace_back = _without_own(error.__traceback__)
    if not isinstance(error, MemoryError):  # the calls that it refers to hold the memory
        # For exit functions, and for debuggers.
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace_back
    if has_default_hook():
        sys.stderr.write(trace)
    else:
        try:
            sys.excepthook(type(error), error, trace_back)
        except BaseException as failure:
            # An exception of a script's hook must not hide why the script failed.
            sys.stderr.write(f"Error in sys.excepthook:\n{trace_of(failure, _MAX_PART)}")


def has_default_hook() -> bool:
    """Return whether the script has left `sys.excepthook` as it was."""
    return sys.excepthook is sys.__excepthook__


def _without_own(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without the calls above those of the script."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        trace = trace.tb_next
    return trace


def _format(error: BaseException) -> list[str]:
    trace_back = _without_own(error.__traceback__)
    if trace_back is None and isinstance(error, ScriptError):
        # This package refuses the script, and the message is complete.
        return [f"{error}\n"]
    # Formatting reads the file of each call.
    report = traceback.TracebackException(type(error), error, trace_back, compact=True)
    # As in a program, the names of the script's own classes stand alone.
    return [part.removeprefix(f"{MODULE_NAME}.") for part in report.format()]


def _format_plainly(error: BaseException) -> Iterator[str]:
    """Yield the calls and the name of each exception of a chain, asking nothing of their classes."""
    chain = [error]
    while len(chain) < _MAX_CHAIN:
        above = chain[-1].__cause__ or chain[-1].__context__
        if above is None or above in chain:
            break
        chain.append(above)
    for each in reversed(chain):
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(each.__traceback__)
        yield f"{_name_of(each)}: {_message_of(each)}\n"
        if each is not error:
            yield "\nThen:\n\n"


def _name_of(error: BaseException) -> str:
    return str(type.__dict__["__name__"].__get__(type(error)))


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # even the attempt to end the process
        return "<exception str() failed>"
