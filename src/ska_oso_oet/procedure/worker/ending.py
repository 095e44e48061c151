"""End of a script's process, in the order, and with the effects, of Python's own end.

The process is ended by `os._exit`, which saves the milliseconds that the finalization of an interpreter with
PyTango takes. The steps of that finalization that a script can observe are done before, by name.
"""

import _thread
import atexit
import gc
import io
import itertools
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import BuiltinFunctionType, FunctionType, MappingProxyType, ModuleType
from typing import Any, NamedTuple

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools.main_process import stop_helpers

from .stopping import Stop

_SHARE_OF_THREADS = 0.7
"""Share of the time in which threads may end; the rest is for exit functions and files."""

_SHARE_OF_STEP = 0.1
"""Share of the time after which the next step, if it hangs, is interrupted, too."""

_TIME_OF_HELPERS = 0.5
"""Seconds to wait for the helpers of multiprocessing; they end later with all that the script leaves."""

_MAIN = ("__main__", "__mp_main__")

_KEPT_LONGER = (FunctionType, BuiltinFunctionType, type, ModuleType, str, bytes, int, float, tuple, dict)
"""Kinds of objects that others may need when they end, and whose own end has no effect by itself."""

# Bases of all files in the standard library. The abstract classes made of them take milliseconds to be asked.
_FILE, _RAW_FILE, _TEXT_FILE = (kind.__bases__[0] for kind in (io.IOBase, io.RawIOBase, io.TextIOBase))


class Outcome(NamedTuple):
    """Outcome of a script.

    :param state: final state of its procedure
    :param status: exit status of a process that ends with it
    :param trace: why it has failed
    :param facts: its result, as fields of its summary
    """

    state: ProcedureState
    status: int = 0
    trace: str = ""
    facts: Mapping[str, Any] = MappingProxyType({})


COMPLETE = Outcome(ProcedureState.COMPLETE)


def end_script(stop: Stop, last_module: str, grace: float | None, give_up: Callable[[], None]) -> None:
    """Do the steps of Python at the end of a program. Must be called by the main thread.

    Non-daemon threads are joined, exit functions are called, the script's modules are released and files that
    are still open are closed. Threads and functions that do not end in time are named in the output.

    :param stop: the stop that may have been requested, whose grace period this is part of
    :param last_module: name of the module that was imported last before the script
    :param grace: seconds that all of it may take, None for as long as it takes
    :param give_up: called, by another thread, if it takes longer and cannot be interrupted; must not return
    """
    deadline = stop.begin_end(grace)
    # The search for garbage closes the layers of a file in any order, and loses the data of the outer ones.
    gc.disable()
    steps: tuple[Callable[[], None], ...] = (
        _join_threads,
        # No public name runs these and leaves the interpreter as it is.
        atexit._run_exitfuncs,  # noqa: SLF001
        lambda: _release_modules(last_module),
        _close_files,
        lambda: stop_helpers(_TIME_OF_HELPERS),
    )
    with _bounded(stop, deadline, give_up):
        for step in steps:
            try:
                _do(step, stop)
            except KeyboardInterrupt:  # a step that had ended already was interrupted
                stop.is_in_step = False


def _do(step: Callable[[], None], stop: Stop) -> None:
    """Do one step. The others follow, also after an exception of the script or an interruption."""
    stop.is_in_step = True
    try:
        step()
    except BaseException as error:  # any exception of a script
        if not isinstance(error, KeyboardInterrupt):
            sys.excepthook(type(error), error, error.__traceback__)
    stop.is_in_step = False


def _join_threads() -> None:
    """Call the exit functions of `threading`, and join the threads that are not daemons."""
    if any(_is_waited_for(each) for each in threading.enumerate()):
        # This may take long, with garbage that has to go.
        _flush_files()
        gc.enable()
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
    finally:
        if names := [each.name for each in threading.enumerate() if _is_waited_for(each)]:
            _say(f"these threads have not ended: {', '.join(names)}")


def _is_waited_for(thread: threading.Thread) -> bool:
    return not thread.daemon and thread is not threading.main_thread()


def _say(what: str) -> None:
    with suppress(Exception):  # a script may have closed the stream
        sys.stderr.write(f"The end of the script was cut short (property StopGracePeriod): {what}\n")


def _release_modules(last: str) -> None:
    """Release the objects of the script's modules, its own and those it has imported."""
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    if any(each.daemon and not _is_own(each) for each in threading.enumerate()):
        # Python freezes daemon threads at this point. These continue, and need their modules.
        return
    released = _take_out_modules(last)
    _release_values(released)
    _flush_files()
    left = [weakref.ref(module) for module in released]
    released.clear()
    gc.collect()
    # Modules that other objects refer to.
    if remaining := [module for reference in left if (module := reference()) is not None]:
        for module in remaining:
            vars(module).clear()
        gc.collect()


def _release_values(modules: Iterable[ModuleType]) -> None:
    """Release the objects that the script's own modules have by name.

    One after the other, so that each closes its file before the layers below it are closed; and while the
    functions and modules that their ``__del__`` uses are still there.
    """
    for namespace in [vars(module) for module in modules if not _is_library(module)]:
        for name in [name for name, value in namespace.items() if not issubclass(type(value), _KEPT_LONGER)]:
            namespace[name] = None


def _take_out_modules(last: str) -> list[ModuleType]:
    """Take the script's modules out of `sys.modules`, and return them: its own first, then by age.

    Parts of packages that were there before the script stay: others use them.
    """
    # Modules before it are not touched: counting references would copy the memory of all of them.
    late = list(itertools.takewhile(lambda name: name != last, reversed(sys.modules)))
    tops = set(late) - sys.stdlib_module_names
    names = [name for name in late if name.partition(".")[0] in tops] if last in sys.modules else []
    taken = [sys.modules.pop(name, None) for name in (*_MAIN, *names)]
    # Some libraries put objects of other kinds there.
    return [module for module in taken if isinstance(module, ModuleType)]


def _is_library(module: ModuleType) -> bool:
    """Return whether a module belongs to a package that was installed."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and "-packages/" in file


def _is_own(thread: threading.Thread) -> bool:
    return thread.name.startswith("oet-")


def _flush_files() -> None:
    """Flush buffers, before a search for garbage."""
    for file in _open_files():
        with suppress(Exception):  # as Python does
            file.flush()


def _close_files() -> None:
    """Close the files that something still refers to."""
    for file in _open_files():
        with suppress(Exception):
            file.close()


def _open_files() -> list[io.IOBase]:
    """Return the buffered files of the script, outer layers first: they may have data for those below."""
    layers: tuple[list[io.IOBase], ...] = ([], [], [])
    streams = (sys.stdin, sys.stdout, sys.stderr)
    kept = {id(each) for stream in streams for each in (stream, getattr(stream, "buffer", None))}
    for each in gc.get_objects():
        # The type, because an object may report any class.
        kind = type(each)
        if issubclass(kind, _FILE) and not issubclass(kind, _RAW_FILE) and id(each) not in kept:
            layer = 0 if issubclass(kind, _TEXT_FILE) else 2 if kind.__module__ == "_io" else 1
            layers[layer].append(each)
    return [file for layer in layers for file in layer]


@contextmanager
def _bounded(stop: Stop, deadline: float | None, give_up: Callable[[], None]) -> Iterator[None]:
    """Interrupt the main thread whenever a step takes too long, and at the deadline give up."""
    if deadline is None:
        yield
        return
    finished, decided = _thread.allocate_lock(), _thread.allocate_lock()
    finished.acquire()
    _thread.start_new_thread(_watch, (finished, decided, stop, deadline, give_up))
    try:
        yield
    finally:
        finished.release()
        # If the other thread has just given up, it ends the process: this one must not report an end as well.
        decided.acquire()


def _watch(finished: Any, decided: Any, stop: Stop, deadline: float, give_up: Callable[[], None]) -> None:
    whole = max(0.0, deadline - time.monotonic())
    wait = whole * _SHARE_OF_THREADS
    while wait > 0:
        if finished.acquire(timeout=wait):
            return
        stop.cut()
        wait = min(whole * _SHARE_OF_STEP, deadline - time.monotonic())
    if decided.acquire(blocking=False):
        _say("an exit function, or the end of an object, hangs")
        give_up()
