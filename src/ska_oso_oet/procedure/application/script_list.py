"""List of the scripts that can be run, updated whenever one of their folders changes.

Lists of the same folders share one watch: a thread, and what is known of each file.
"""

import logging
import re
import threading
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple

import watchfiles

from ..domain import ScriptDefectiveError, ScriptError, source
from ..domain.roots import ScriptRoots
from ..domain.script_text import ScriptText

LOGGER = logging.getLogger(__name__)

MAX_SCRIPTS = 1024
"""How many scripts are listed."""

_QUIET_MILLISECONDS = 200
"""Seconds within which changes are processed together."""

_FIRST_LOOK_MILLISECONDS = 1000

_DEFINITION = re.compile(rb"^(async[ \t]+)?def[ \t]+(main|init)\b", re.MULTILINE)
_MENTION = re.compile(rb"\b(main|init)\b|\bimport[ \t]+\*")


def is_script(path: Path, size_limit: int = source.SIZE_LIMIT) -> bool:
    """Return whether a file has a ``main`` or an ``init``, generators included; else it is a helper.

    A script that is not valid Python counts as long as its text defines one of them at the top level.

    :param path: the file
    :param size_limit: bytes that a script may have
    """
    try:
        text = source.read_file(path, size_limit)
    except ScriptError:
        return False
    if _DEFINITION.search(text) is not None:
        return True
    # Parsing a text blocks all other threads: it is done only where it may find a function.
    if _MENTION.search(text) is None or len(text) > source.LONG:
        return False
    try:
        return any(outline.defined for outline in ScriptText(text, path.name).outlines().values())
    except ScriptDefectiveError:
        return False


class _Seen(NamedTuple):
    """A file as it was when it was read."""

    version: tuple[int, int, int]
    is_script: bool


class ScriptList:
    """The URIs of the scripts below the script roots, kept up to date by the kernel's notifications.

    Changes that another host makes to a shared folder are not notified: they count after a restart.

    :param roots: the folders
    :param size_limit: bytes that a script may have
    :param on_change: called by a thread of this list whenever the list has changed, the first time included
    """

    def __init__(self, roots: ScriptRoots, size_limit: int, on_change: Callable[[], None]) -> None:
        # An object of its own: one that asks to end is not to take another's place among the listeners.
        self._on_change = partial(on_change)
        self._listed = threading.Event()
        self._watch = _Watch.shared(roots, size_limit, self._on_change)
        self._thread = threading.Thread(target=self._list, name="oet-script-list", daemon=True)
        self._thread.start()

    @property
    def uris(self) -> tuple[str, ...]:
        """URIs of the scripts, at most `MAX_SCRIPTS`; none before the folders have been read."""
        return self._watch.uris

    def wait(self, timeout: float) -> None:
        """Wait until the folders have been read for the first time.

        :param timeout: seconds to wait at most
        """
        self._listed.wait(timeout)

    def ask_to_end(self) -> None:
        """Stop watching the folders. Does not wait for that."""
        self._watch.leave(self._on_change)

    def close(self) -> None:
        """Stop watching the folders."""
        self.ask_to_end()
        self._thread.join()
        self._watch.join()

    def _list(self) -> None:
        try:
            self._watch.list()
        except Exception:
            LOGGER.exception("The script roots cannot be read: the attribute scripts is empty")
        finally:
            self._listed.set()
        self._on_change()


class _Watch:
    """A watch of the script roots, for all lists of the same roots.

    :param roots: the folders
    :param size_limit: bytes that a script may have
    """

    _known: ClassVar[dict[tuple[ScriptRoots, int], "_Watch"]] = {}
    _joining: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, roots: ScriptRoots, size_limit: int) -> None:
        self._roots = roots
        self._size_limit = size_limit
        self._listeners: list[Callable[[], None]] = []
        self._seen: dict[Path, _Seen] = {}
        self._listing = threading.Lock()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="oet-script-watch", daemon=True)
        self.uris: tuple[str, ...] = ()
        """URIs of the scripts, as they were listed last."""

    @classmethod
    def shared(cls, roots: ScriptRoots, size_limit: int, on_change: Callable[[], None]) -> "_Watch":
        """Return the watch of some folders, and start it unless there is one.

        :param roots: the folders
        :param size_limit: bytes that a script may have
        :param on_change: called whenever the list has changed, until `leave`
        """
        with cls._joining:
            watch = cls._known.get((roots, size_limit))
            if watch is None:
                watch = cls._known[roots, size_limit] = cls(roots, size_limit)
                watch._thread.start()
            watch._listeners = [*watch._listeners, on_change]
            return watch

    def leave(self, on_change: Callable[[], None]) -> None:
        """Stop calling a function; when none is left, stop watching. Does not wait for that."""
        with self._joining:
            self._listeners = [known for known in self._listeners if known is not on_change]
            if not self._listeners:
                self._retire()
                self._end.set()

    def join(self) -> None:
        """Wait until a listener that has left is called no more, and for the end of a watch without any."""
        with self._listing:
            pass
        if self._end.is_set():
            self._thread.join()

    def list(self) -> None:
        """Read the folders, and call the listeners if the list has changed."""
        with self._listing:
            scripts = (path.as_uri() for path in self._roots.files() if self._is_script(path))
            found = tuple(islice(scripts, MAX_SCRIPTS))
            if found != self.uris:
                self.uris = found
                for listener in self._listeners:
                    listener()

    def _retire(self) -> None:
        """Have later lists start a watch of their own."""
        if self._known.get((self._roots, self._size_limit)) is self:
            del self._known[self._roots, self._size_limit]

    def _run(self) -> None:
        try:
            folders = [folder for folder in self._roots.folders if folder.is_dir()]
            is_first = True
            for changes in watchfiles.watch(
                *folders,
                step=_QUIET_MILLISECONDS,
                stop_event=self._end,
                rust_timeout=_FIRST_LOOK_MILLISECONDS,
                yield_on_timeout=True,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                # The first time in any case: before it watched them, the folders may have changed.
                if changes or is_first:
                    self.list()
                is_first = False
        except Exception:
            LOGGER.exception("The script roots cannot be watched: the attribute scripts shows no change")
            with self._joining:
                self._retire()

    def _is_script(self, path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:
            return False
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        seen = self._seen.get(path)
        if seen is None or seen.version != version:
            seen = self._seen[path] = _Seen(version, is_script(path, self._size_limit))
        return seen.is_script
