"""Targets of the log messages of a device server: Tango, the console, files, syslog.

Python's logging is one for the whole process, while each Tango device has its own level and targets.
So each target is opened once, at the lowest level that any of the devices that name it wants.
"""

import functools
import logging
import logging.handlers
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tango

from ska_oso_oet.logs import make_formatter

from .enums import LoggingLevel
from .syslog import open_syslog
from .texts import tango_text

TANGO_TARGET = "tango::logger"
CONSOLE_TARGET = "console::cout"

_FILE_BYTES = 10_000_000
_FILE_BACKUPS = 2

PYTHON_LEVELS = {
    LoggingLevel.OFF: logging.CRITICAL + 1,
    LoggingLevel.FATAL: logging.CRITICAL,
    LoggingLevel.ERROR: logging.ERROR,
    LoggingLevel.WARNING: logging.WARNING,
    LoggingLevel.INFO: logging.INFO,
    LoggingLevel.DEBUG: logging.DEBUG,
}

# The levels of log4tango, which PyTango has no names for: 100 is OFF, 600 is DEBUG.
TANGO_LEVELS = {level: 100 * (level + 1) for level in LoggingLevel}


class TangoStreamHandler(logging.Handler):
    """Sends Python log records to the log stream of a Tango device.

    :param logger: of the device
    """

    def __init__(self, logger: tango.Logger) -> None:
        super().__init__()
        self._logger = logger
        # Tango adds time, level and device itself.
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record with the level of Tango that is nearest to its own."""
        try:
            self._logger.log(_tango_level(record.levelno), "%s", tango_text(self.format(record)))
        except Exception:
            self.handleError(record)


@functools.cache
def _tango_level(levelno: int) -> int:
    matching = (level for level in LoggingLevel if level and levelno >= PYTHON_LEVELS[level])
    return TANGO_LEVELS[next(matching, LoggingLevel.DEBUG)]


def check_target(target: str) -> None:
    """Check that a logging target has a known form.

    :param target: ``tango::logger``, ``console::cout``, ``file::/path``, or ``syslog::`` followed by
        ``udp://host:port``, ``tcp://host:port`` or ``file:///dev/log``
    :raises ValueError: if it is none of these
    """
    kind, separator, name = target.partition("::")
    fits = {
        "tango": name == "logger",
        "console": name == "cout",
        "file": name.startswith("/"),
        "syslog": urlsplit(name).scheme in ("udp", "tcp", "file"),
    }
    if not separator or not fits.get(kind, False):
        raise ValueError(
            f"{target!r} is not a logging target: use tango::logger, console::cout, file::/path, "
            "or syslog::udp://host:port"
        )


def _open(target: str, logger: tango.Logger) -> logging.Handler:
    """Open a logging target.

    :raises OSError: if it cannot be opened
    :raises ValueError: if the environment asks for an unknown form of messages
    """
    kind, _, name = target.partition("::")
    if kind == "tango":
        return TangoStreamHandler(logger)
    formatter = make_formatter()
    handler: logging.Handler
    if kind == "console":
        handler = logging.StreamHandler(sys.stdout)
    elif kind == "file":
        handler = logging.handlers.RotatingFileHandler(
            Path(name), maxBytes=_FILE_BYTES, backupCount=_FILE_BACKUPS, encoding="utf-8"
        )
    else:
        handler = open_syslog(name)
    handler.setFormatter(formatter)
    return handler


@dataclass
class _OpenTarget:
    handler: logging.Handler
    levels: dict[str, int] = field(default_factory=dict)
    """Levels of Python's logging, by the name of the device that wants them."""


class LogTargets:
    """The logging targets of all devices of this process.

    :param root: the logger whose records go to them
    """

    def __init__(self, root: logging.Logger) -> None:
        self._root = root
        self._root_level = root.level
        self._open: dict[str, _OpenTarget] = {}
        self._lock = threading.Lock()

    def configure(
        self, device: str, logger: tango.Logger, level: LoggingLevel, targets: Sequence[str]
    ) -> None:
        """Set the targets of a device's log messages, in place of its former ones.

        :param device: name of the device
        :param logger: its Tango logger
        :param level: the least serious messages that it wants
        :param targets: see `check_target`
        :raises ValueError: if a target has no known form
        :raises OSError: if a target cannot be opened; then nothing is changed
        """
        for target in targets:
            check_target(target)
        with self._lock:
            keys = {self._key(device, target): target for target in targets}
            opened = self._open_new(keys, logger)
            self._open.update(opened)
            self._apply(device, keys, PYTHON_LEVELS[level])
        # The device's own messages go to this logger without passing through Python's logging.
        logger.set_level(TANGO_LEVELS[level if TANGO_TARGET in targets else LoggingLevel.OFF])

    def remove(self, device: str) -> None:
        """Stop logging on behalf of a device.

        :param device: name of the device
        """
        with self._lock:
            self._apply(device, (), 0)

    @staticmethod
    def _key(device: str, target: str) -> str:
        return f"{target} of {device}" if target == TANGO_TARGET else target

    def _open_new(self, keys: dict[str, str], logger: tango.Logger) -> dict[str, _OpenTarget]:
        opened: dict[str, _OpenTarget] = {}
        try:
            for key, target in keys.items():
                if key not in self._open:
                    opened[key] = _OpenTarget(_open(target, logger))
        except OSError:
            for target_ in opened.values():
                target_.handler.close()
            raise
        return opened

    def _apply(self, device: str, wanted: Any, level: int) -> None:
        for key, target in list(self._open.items()):
            target.levels.pop(device, None)
            if key in wanted:
                target.levels[device] = level
            if target.levels:
                target.handler.setLevel(min(target.levels.values()))
                self._root.addHandler(target.handler)
            else:
                self._root.removeHandler(target.handler)
                target.handler.close()
                del self._open[key]
        levels = [level for target in self._open.values() for level in target.levels.values()]
        self._root.setLevel(min(levels, default=self._root_level))


PROCESS_LOG_TARGETS = LogTargets(logging.getLogger())
"""The logging targets of this process's devices."""
