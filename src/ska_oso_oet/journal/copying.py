"""Copies of a journal in SQLite, for back-ups, and the numbers to continue with after one was restored."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from .high_water_marks import HighWaterMarkFile, LastNumbers
from .sqlite import JOURNAL_FILE, SqliteBackend


class JournalCopyError(ValueError):
    """A copy of a journal cannot be used. The message says why."""


def copy_journal(directory: Path, target: Path) -> bool:
    """Copy the journal of a state directory as it is at one moment, while a server may write to it.

    :param directory: the state directory
    :param target: file to create
    :returns: whether there is a journal in SQLite
    :raises JournalCopyError: if the journal is damaged
    :raises OSError: if it cannot be read, or the copy cannot be written
    """
    source = directory / JOURNAL_FILE
    if not source.exists():
        return False
    try:
        with closing(_connect(source, "ro")) as reader, closing(_connect(target, "rwc")) as writer:
            reader.backup(writer)
            # The copy is one file, without a separate log.
            writer.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise OSError(f"{source} cannot be copied to {target}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise JournalCopyError(f"{source} is damaged: {error}") from error
    return True


def check_journal(file: Path) -> None:
    """Check that a copy of a journal is complete.

    :param file: the copy
    :raises JournalCopyError: if it is not
    """
    try:
        with closing(_connect(file, "ro")) as connection:
            [[verdict]] = connection.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise JournalCopyError(f"the copy of the journal is damaged: {verdict}")


def reserve_numbers(directory: Path, copy: Path, seconds: float) -> LastNumbers:
    """Let a restored journal continue beyond all numbers that were assigned.

    The high-water marks of the directory say what was assigned, if they are there and not older than the
    copy. Otherwise numbers are skipped for the time since the copy was made.

    :param directory: the state directory
    :param copy: folder with the copy of the journal and of its high-water marks
    :param seconds: time since the copy was made
    :returns: no number beyond these was assigned
    :raises OSError: if the high-water marks cannot be written
    """
    file, copied = HighWaterMarkFile(directory), HighWaterMarkFile(copy).load()
    here = file.load()
    stored = SqliteBackend(copy).salvage() or (copied.last_numbers if copied else LastNumbers())
    if here is not None and here.last_numbers.reaches(stored):
        last_numbers = here.last_numbers
    else:
        last_numbers = stored.union(copied.last_numbers if copied else stored).with_margin(seconds)
    file.write_incomplete(last_numbers)
    return last_numbers


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True, isolation_level=None)
