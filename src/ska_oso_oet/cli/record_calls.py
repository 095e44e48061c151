"""Implementation of the commands about earlier procedures."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote

from ska_oso_oet.model import FileList, ProcedurePage, ProcedureSummary, PythonEnvironment

from .errors import CommandError, MisuseError
from .output import CommandOutput
from .session import Session
from .tables import print_differences, print_files, print_procedures_with_users

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PAGE = 100


@dataclass(frozen=True)
class Search:
    """Search for procedures; the fields are parameters of ``GET /procedures``."""

    state: list[str] = field(default_factory=list)
    script: str = ""
    text: str = ""
    since: str | None = None
    until: str | None = None
    before: int | None = None


def read_time(text: str | None) -> str | None:
    """Return a time that a user has typed, in ISO 8601 and UTC.

    :param text: an age, e.g. ``1h``, or a date, with a time or without; local without an offset
    :raises MisuseError: if it is neither
    """
    if text is None:
        return None
    if match := _AGO.fullmatch(text.strip()):
        time = datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: float(match[1])})
    else:
        try:
            time = datetime.fromisoformat(text.strip()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise MisuseError(
                f"{text!r} is not a time: give an age, e.g. 30m, 1h or 2d, or a date, e.g. 2026-01-31T12:00"
            ) from None
    return time.isoformat()


def find_procedures(session: Session, search: Search, limit: int | None) -> None:
    """Print a line for each procedure that is found, newest first.

    :param session: with the service that knows them
    :param search: which procedures
    :param limit: how many at most; None for all
    """
    left = limit
    found: list[ProcedureSummary] = []
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        reply = session.rest.find_procedures({**asdict(search), "limit": size})
        page: ProcedurePage = reply.content
        if session.output.as_json:
            session.output.json(reply.body)
        found += page.procedures
        if page.next is None:
            break
        search = replace(search, before=page.next)
        left = None if left is None else left - len(page.procedures)
    if not session.output.as_json:
        print_procedures_with_users(session.output, found)


# Comparing


def compare_procedures(session: Session, first: int, second: int) -> None:
    """Print the differences of two procedures.

    :param session: with the service that knows them
    :param first: ID of one
    :param second: ID of the other
    """
    one, other = (session.rest.procedure(pid).content for pid in (first, second))
    rows = {
        name: (left, right)
        for (name, left), right in zip(_facts(one).items(), _facts(other).values(), strict=True)
        if left != right
    }
    if one.environment != other.environment:
        rows.update(_packages(session, one, other))
    if session.output.as_json:
        session.output.json({"differences": {name: list(values) for name, values in rows.items()}})
    elif rows:
        print_differences(session.output, first, second, rows)
    else:
        session.output.text(f"Procedures {first} and {second} do not differ")


def _facts(procedure: ProcedureSummary) -> dict[str, Any]:
    """Return the compared facts of a procedure, by name."""
    facts: dict[str, Any] = {
        "script": procedure.script.script_uri,
        "commit": procedure.commit,
        "script_sha256": procedure.script_sha256,
    }
    for function in ("init", "main"):
        given = procedure.arguments.get(function)
        facts[f"arguments of {function}"] = None if given is None else given.to_json()
    return facts | {
        "subarray": procedure.subarray_id,
        "state": str(procedure.state),
        "failure": procedure.failure_line,
        "result": procedure.result if procedure.result_omitted is None else procedure.result_omitted,
        "files": [f"{file.name} ({file.size} B)" for file in procedure.files],
    }


def _packages(session: Session, one: ProcedureSummary, other: ProcedureSummary) -> dict[str, tuple[Any, Any]]:
    """Return the differences of the environments of two procedures."""
    if one.environment is None or other.environment is None:
        return {"environment": (one.environment, other.environment)}
    try:
        found = [session.rest.environment(each.id).content for each in (one, other)]
    except CommandError as error:
        session.output.note(str(error))
        return {"environment": (one.environment, other.environment)}
    left, right = (dict(package.partition("==")[::2] for package in each.packages) for each in found)
    rows: dict[str, tuple[Any, Any]] = {}
    if found[0].python != found[1].python:
        rows["Python"] = (found[0].python, found[1].python)
    for name in sorted({*left, *right}, key=str.casefold):
        if left.get(name) != right.get(name):
            rows[f"package {name}"] = (left.get(name), right.get(name))
    return rows


# Files


def list_files(session: Session, pid: int | None) -> None:
    """Print the files of a procedure.

    :param session: with the service that knows it
    :param pid: its ID; None for the last one created
    """
    session.show(session.rest.files(_number(session, pid)), _print_list)


def _print_list(output: CommandOutput, found: FileList) -> None:
    if found.files:
        print_files(output, found.files)
    else:
        output.note("There are no files")
    if found.omitted:
        output.note(f"{found.omitted} further files are not kept")


def show_environment(session: Session, pid: int | None) -> None:
    """Print the version of Python, and the packages that the script of a procedure could import.

    :param session: with the service that knows it
    :param pid: its ID; None for the last one created
    """
    session.show(session.rest.environment(_number(session, pid)), _print_environment)


def _print_environment(output: CommandOutput, environment: PythonEnvironment) -> None:
    for line in (f"Python {environment.python}", *environment.packages):
        output.text(line)


def get_file(session: Session, pid: int | None, name: str, to: str | None) -> None:
    """Write a file of a procedure to one here.

    :param session: with the service that has it
    :param pid: ID of the procedure; None for the last one created
    :param name: path of the file in the working directory of the script
    :param to: where to write it; None for its name, in this folder
    """
    path = f"/procedures/{_number(session, pid)}/files/{quote(name)}"
    download(session, path, to or PurePosixPath(name).name)


def download(session: Session, path: str, to: str) -> None:
    """Write what the service has to a new file.

    :param session: with the service
    :param path: below the URL of the API
    :param to: the file; ``-`` for standard output
    :raises CommandError: if it exists, or cannot be written
    """
    if to == "-":
        session.rest.http.download(path, sys.stdout.buffer.write)
        return
    with _new_file(Path(to)) as file:
        session.rest.http.download(path, file.write)
    size = Path(to).stat().st_size
    if session.output.as_json:
        session.output.json({"file": to, "size": size})
    else:
        session.output.note(f"{to} has {size} bytes")


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """Create a file, and remove it if it is not written completely."""
    try:
        file = path.open("xb")
    except FileExistsError:
        raise CommandError(f"{path} exists already: give another name with --to") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    with file:
        try:
            yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _number(session: Session, pid: int | None) -> int:
    return session.rest.last_created().id if pid is None else pid
