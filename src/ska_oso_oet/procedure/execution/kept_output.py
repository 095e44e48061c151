"""The output of procedures that is kept: found for reading, and removed when there is too much."""

import logging
import os
import re
import threading
from collections.abc import Collection
from pathlib import Path

from .output import OutputLog

LOGGER = logging.getLogger(__name__)

_LOG_NAME = re.compile(r"(\d+)\.log\b")

_REMEMBERED = 16
"""How many logs are remembered after they were read: who reads one page reads the next."""


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


def prune_logs(folder: Path, keep: int, live: Collection[int] = ()) -> None:
    """Remove the output of all but the newest procedures. What cannot be removed stays.

    :param folder: where the files are
    :param keep: of how many procedures to keep the output
    :param live: procedures whose output is kept, however old they are
    """
    try:
        _prune(folder, keep, live)
    except OSError as error:
        LOGGER.warning("Old output in %s cannot be removed: %s", folder, error)


def _prune(folder: Path, keep: int, live: Collection[int]) -> None:
    names = os.listdir(folder) if folder.is_dir() else []
    logs = {name: int(match[1]) for name in names if (match := _LOG_NAME.match(name))}
    kept = {*sorted(set(logs.values()), reverse=True)[:keep], *live}
    for name in (name for name, procedure_id in logs.items() if procedure_id not in kept):
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            # It takes space, no more: nobody's observation is to fail for that.
            LOGGER.warning("An old log cannot be removed: %s", error)
