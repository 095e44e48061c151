"""Store of the output of procedures: finds it for reading, and removes the oldest."""

import logging
import os
import re
import threading
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from ..domain.settings import ExecutorSettings
from .output import OutputLog

LOGGER = logging.getLogger(__name__)

_LOG_NAME = re.compile(r"(\d+)\.log\b")

_REMEMBERED = 16
"""How many logs are remembered after they were read: the next page is often read soon."""


class KeptOutput:
    """Finds the output of procedures for reading. Any thread may use it.

    :param folder: where the files are
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._remembered: dict[int, OutputLog] = {}

    def log(self, procedure_id: int, live: OutputLog | None) -> OutputLog | None:
        """Return the output of a procedure, None if it is not kept.

        :param procedure_id: the procedure
        :param live: its output, if it is being written; else None
        :raises OSError: if it cannot be read
        """
        with self._lock:
            remembered = self._remembered.pop(procedure_id, None)
            log = live or remembered or OutputLog(self._folder, procedure_id)
            if live is None and not log.exists:
                return None
            self._remembered[procedure_id] = log
            if len(self._remembered) > _REMEMBERED:
                del self._remembered[next(iter(self._remembered))]
            return log


class OldOutput:
    """The output of procedures that have ended, of which as much is kept as settings allow.

    :param settings: where it is, and how much of it is kept
    :param live: returns the IDs of procedures whose output is being written; called by another thread
    :param do_later: has a function called by another thread
    """

    def __init__(
        self,
        settings: ExecutorSettings,
        live: Callable[[], Collection[int]],
        do_later: Callable[[Callable[[], None]], None],
    ) -> None:
        self._keep = settings.output_logs
        self._prune = partial(prune_logs, settings.state_directory / "output", self._keep, live)
        self._do_later = do_later
        # Belongs to the thread that removes: of how many procedures there may be output.
        self._there: int | None = None

    def created(self) -> None:
        """Take into account that a procedure is created: in the background, remove what is too much."""
        self._do_later(partial(self._update, 1))

    def ended(self) -> None:
        """Take into account that a procedure has ended: in the background, remove what is too much."""
        self._do_later(partial(self._update, 0))

    def _update(self, created: int) -> None:
        if self._there is not None:
            self._there += created
        # To list the folder takes long. Of those that are live, there may be more than are kept.
        if self._there is None or self._there > self._keep:
            self._there = self._prune()


def prune_logs(folder: Path, keep: int, live: Callable[[], Collection[int]] = tuple) -> int | None:
    """Remove the output of all but the newest procedures. What cannot be removed stays.

    :param folder: where the files are
    :param keep: of how many procedures to keep the output, live ones included
    :param live: returns the procedures whose output is kept, however many and old they are
    :returns: of how many procedures there is output now; None if that is not known
    """
    try:
        return _prune(folder, keep, live)
    except OSError as error:
        LOGGER.warning("Old output in %s cannot be removed: %s", folder, error)
        return None


def _prune(folder: Path, keep: int, live: Callable[[], Collection[int]]) -> int:
    names = os.listdir(folder) if folder.is_dir() else []
    logs = {name: int(match[1]) for name in names if (match := _LOG_NAME.match(name))}
    # Those that are live are looked for after their logs: one that is created meanwhile has none in the list.
    kept = set(live())
    ended = sorted({*logs.values()} - kept, reverse=True)
    kept.update(ended[: max(0, keep - len(kept))])
    for name in (name for name, procedure_id in logs.items() if procedure_id not in kept):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            # It only takes space: an observation must not fail because of that.
            LOGGER.warning("An old log cannot be removed: %s", error)
    return len(kept)
