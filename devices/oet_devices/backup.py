"""Back-up and restore of a controller's state directory: ``python -m oet_devices.backup save|restore``."""

import io
import os
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Final

import click
from pydantic import BaseModel, ValidationError

from ska_oso_oet.files import make_private
from ska_oso_oet.journal import JournalLockedError
from ska_oso_oet.journal.copying import JournalCopyError, check_journal, copy_journal, reserve_numbers
from ska_oso_oet.journal.directory_lock import LOCK_FILE, DirectoryLock
from ska_oso_oet.journal.high_water_marks import MARKS_FILE
from ska_oso_oet.journal.sqlite import JOURNAL_FILE

_FORMAT: Final = 1
_MANIFEST: Final = "manifest.json"
_STATE: Final = "state"
"""Folder in the archive that the state is in."""
_SCAN_IDS: Final = "scan_id"
_LEFT_OUT: Final = frozenset(
    {"git", "run", JOURNAL_FILE, f"{JOURNAL_FILE}-wal", f"{JOURNAL_FILE}-shm", LOCK_FILE}
)
"""Entries that are not copied as they are: built from others, in use, or copied separately."""
_MAY_REMAIN: Final = frozenset({LOCK_FILE, MARKS_FILE, _SCAN_IDS})
"""Entries that the state directory may have when an archive is restored."""


class BackupError(Exception):
    """A back-up cannot be created or restored. The message says why, and what to do."""


class Manifest(BaseModel):
    """Manifest of an archive.

    :ivar format: version of the archive's layout
    :ivar version: version of the OET that made it
    :ivar made: when
    :ivar directory: the state directory that was backed up
    :ivar has_journal: whether it contains a journal; one in PostgreSQL it does not
    """

    format: int
    version: str
    made: datetime
    directory: str
    has_journal: bool


def save(directory: Path, archive: Path) -> Manifest:
    """Write the state of a controller to an archive, while its server runs or not.

    The journal is as it was at one moment. The output and the files of scripts are copied after it, so every
    procedure of the journal has them.

    :param directory: the controller's state directory
    :param archive: file to write, a ``.tar.gz``; it is replaced if it exists, and only by a complete one
    :raises BackupError: if that is not possible; an earlier archive is not changed
    """
    if not (directory / MARKS_FILE).exists() and not (directory / JOURNAL_FILE).exists():
        raise BackupError(f"{directory} is not the state directory of a controller: it has no {MARKS_FILE}")
    draft = archive.with_name(f".{archive.name}.part")
    try:
        with (
            ExitStack() as cleaning,
            tempfile.TemporaryDirectory(dir=archive.parent, prefix=".oet-") as scratch,
        ):
            cleaning.callback(draft.unlink, missing_ok=True)
            journal = Path(scratch, JOURNAL_FILE)
            has_journal = copy_journal(directory, journal)
            manifest = Manifest(
                format=_FORMAT,
                version=version("ska-oso-oet-tango"),
                made=datetime.now(UTC),
                directory=str(directory),
                has_journal=has_journal,
            )
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                    _add_text(tar, _MANIFEST, manifest.model_dump_json())
                    if has_journal:
                        tar.add(journal, f"{_STATE}/{JOURNAL_FILE}")
                    for path in _files(directory):
                        _add_file(tar, path, PurePosixPath(_STATE, path.relative_to(directory).as_posix()))
                file.flush()
                os.fsync(file.fileno())
            draft.replace(archive)
    except JournalCopyError as error:
        raise BackupError(f"{error}: no back-up was made") from error
    except OSError as error:
        raise BackupError(f"the back-up {archive} cannot be written: {_reason(error)}") from error
    return manifest


def restore(archive: Path, directory: Path) -> Manifest:
    """Restore the state of a controller to an empty state directory whose server does not run.

    Numbers of events and procedures continue beyond all that were assigned, also after the back-up was made.
    A `journal.marks` that is left in the state directory says which these are; without it, numbers are
    skipped.

    :param archive: file that `save` has written
    :param directory: the state directory, created if it does not exist
    :raises BackupError: if that is not possible; the state directory is not changed
    """
    try:
        make_private(directory)
        with _locked(directory), tempfile.TemporaryDirectory(dir=directory, prefix=".restore-") as scratch:
            _require_empty(directory, Path(scratch))
            manifest = _unpack(archive, Path(scratch))
            state = Path(scratch, _STATE)
            age = (datetime.now(UTC) - manifest.made).total_seconds()
            reserve_numbers(directory, state, age)
            _reserve_scan_ids(directory, state, age)
            for entry in sorted(state.iterdir()):
                if entry.name not in (MARKS_FILE, _SCAN_IDS):
                    entry.replace(directory / entry.name)
    except OSError as error:
        raise BackupError(f"{archive} cannot be restored to {directory}: {_reason(error)}") from error
    except JournalLockedError as error:
        raise BackupError(str(error)) from error
    return manifest


def _files(directory: Path) -> Iterator[Path]:
    """Yield the files of a state directory that are copied as they are."""
    for entry in sorted(directory.iterdir()):
        if entry.name in _LEFT_OUT or entry.name.startswith("."):
            continue
        yield from (
            (entry,) if entry.is_file() else sorted(path for path in entry.rglob("*") if path.is_file())
        )


def _add_file(tar: tarfile.TarFile, path: Path, name: PurePosixPath) -> None:
    """Add a file as long as it is now, also if its server appends, rotates or removes meanwhile."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        status = os.fstat(file.fileno())
        content = file.read(status.st_size)
        entry = tarfile.TarInfo(str(name))
        entry.size, entry.mtime, entry.mode = len(content), int(status.st_mtime), 0o600
        tar.addfile(entry, io.BytesIO(content))


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), 0o600
    tar.addfile(entry, io.BytesIO(text.encode()))


def _require_empty(directory: Path, scratch: Path) -> None:
    found = sorted({entry.name for entry in directory.iterdir()} - {scratch.name} - _MAY_REMAIN)
    if found:
        names = f"{', '.join(found[:5])}{' and more' if found[5:] else ''}"
        raise BackupError(
            f"{directory} is not empty: it has {names}. Move that to another folder, "
            f"and leave {MARKS_FILE} and {_SCAN_IDS}, which say which numbers were assigned"
        )


def _unpack(archive: Path, folder: Path) -> Manifest:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            # Nothing outside of the folder, no links out of it, no devices.
            tar.extractall(folder, filter="data")
        manifest = Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except (tarfile.TarError, EOFError, ValidationError) as error:
        raise BackupError(f"{archive} is not a complete back-up: {str(error).splitlines()[0]}") from error
    except FileNotFoundError as error:
        if not archive.exists():
            raise
        raise BackupError(f"{archive} is not a back-up: it has no {_MANIFEST}") from error
    if manifest.format > _FORMAT:
        raise BackupError(
            f"{archive} was made by version {manifest.version} of the OET: "
            "restore it with that version or a newer one"
        )
    (folder / _STATE).mkdir(exist_ok=True)
    if manifest.has_journal:
        try:
            check_journal(folder / _STATE / JOURNAL_FILE)
        except JournalCopyError as error:
            raise BackupError(f"{archive} is damaged: {error}") from error
    return manifest


def _reserve_scan_ids(directory: Path, copy: Path, seconds: float) -> None:
    """Set the scan number beyond those assigned since, one in each second at most."""
    copied = _number_in(copy / _SCAN_IDS)
    if copied is None:
        return
    here = _number_in(directory / _SCAN_IDS)
    if here is None or here < copied:
        (directory / _SCAN_IDS).write_text(str(copied + 1 + int(max(seconds, 0.0))))
        (directory / _SCAN_IDS).chmod(0o600)


def _number_in(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (FileNotFoundError, ValueError):
        return None


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    lock = DirectoryLock(directory)
    try:
        yield
    finally:
        lock.release()


def _reason(error: OSError) -> str:
    return f"{error.strerror} ({error.filename})" if error.strerror and error.filename else str(error)


@click.group()
def main() -> None:
    """Back up the state of a controller, and restore it."""


_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_ARCHIVE = click.Path(path_type=Path, dir_okay=False)


@main.command("save")
@click.argument("state_directory", type=_DIRECTORY)
@click.argument("archive", type=_ARCHIVE)
def save_command(state_directory: Path, archive: Path) -> None:
    """Write the state of a controller to an archive, a .tar.gz file.

    The server may run meanwhile. STATE_DIRECTORY is what the property StateDirectory of the controller names.
    Environments of git scripts are not part of the archive: they are built again when they are needed.
    """
    manifest = _or_exit(lambda: save(state_directory, archive))
    click.echo(f"{archive} has the state of {state_directory}, {archive.stat().st_size / 1e6:.1f} MB.")
    if not manifest.has_journal:
        click.echo("It has no journal: back up the PostgreSQL database that has it.")


@main.command("restore")
@click.argument("archive", type=_ARCHIVE)
@click.argument("state_directory", type=_DIRECTORY)
def restore_command(archive: Path, state_directory: Path) -> None:
    """Restore the state of a controller to an empty state directory. Its server must not run.

    Leave journal.marks in the state directory if it is there: it says which numbers were assigned. Without
    it, at least 1,000,000 numbers of events and 1,000 of procedures are skipped, so that none is used twice.
    """
    manifest = _or_exit(lambda: restore(archive, state_directory))
    click.echo(f"{state_directory} has the state of {manifest.made:%Y-%m-%d %H:%M:%S} UTC. Start the server.")
    if not manifest.has_journal:
        click.echo("The back-up has no journal: restore the PostgreSQL database that has it, too.")


def _or_exit(action: Callable[[], Manifest]) -> Manifest:
    try:
        return action()
    except BackupError as error:
        sys.exit(f"{error}.")


if __name__ == "__main__":
    main()
