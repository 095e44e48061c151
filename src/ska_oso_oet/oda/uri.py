"""Scheduling Blocks by URI: ``file:///path.json`` or ``oda://sbd-id[/version]``."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from .documents import MAX_SIZE, SBDefinition
from .errors import InvalidIdentifierError, InvalidSchedulingBlockError, UnknownSchedulingBlockError
from .identifiers import checked_id, checked_version
from .interface import Oda

_MAX_DIGITS = 10


class OdaAddress(NamedTuple):
    """Address of a Scheduling Block in the ODA.

    :param sbd_id: its ID
    :param version: its version; None for the newest
    """

    sbd_id: str
    version: int | None


def parse_sbd_uri(uri: str) -> OdaAddress | Path:
    """Parse the URI of a Scheduling Block, without reading it.

    :param uri: ``file:///path.json`` or ``oda://sbd-id[/version]``
    :raises InvalidIdentifierError: if it is malformed
    :returns: its place in the ODA, or the path of its file
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme == "oda":
        return _oda_address(uri, rest)
    if separator and scheme == "file":
        return _file_path(uri, rest)
    raise InvalidIdentifierError(f"'{uri}' is malformed: give file:///path.json or oda://sbd-id[/version]")


def _oda_address(uri: str, rest: str) -> OdaAddress:
    name, _, version = rest.partition("/")
    sbd_id = checked_id("sbd_id", name)
    if not version:
        return OdaAddress(sbd_id, None)
    if not (version.isascii() and version.isdigit() and len(version) <= _MAX_DIGITS):
        raise InvalidIdentifierError(f"'{uri}' is malformed: after oda://{sbd_id}/ give a version: 1, 2, …")
    return OdaAddress(sbd_id, checked_version(int(version)))


def _file_path(uri: str, rest: str) -> Path:
    path = Path(unquote(rest))
    if not path.is_absolute() or path.suffix != ".json" or "\0" in str(path):
        raise InvalidIdentifierError(
            f"'{uri}' is malformed: give the full path of a JSON file, file:///path.json"
        )
    return path


def load_sbdefinition(uri: str, oda: Oda, roots: Sequence[Path]) -> SBDefinition:
    """Return the Scheduling Block that a URI names.

    :param uri: ``file:///path.json`` or ``oda://sbd-id[/version]``
    :param oda: where Scheduling Blocks of the second form are
    :param roots: folders that files may be in, links and ``..`` resolved
    :raises OdaError: if there is no such Scheduling Block; see `Oda` for the kinds of reasons
    """
    place = parse_sbd_uri(uri)
    if isinstance(place, OdaAddress):
        return oda.get_sbdefinition(place.sbd_id, place.version)
    return _from_file(place, uri, roots)


def _from_file(name: Path, uri: str, roots: Sequence[Path]) -> SBDefinition:
    try:
        # First: an answer must not reveal whether a file outside of the folders exists.
        path = name.resolve()
        if not any(path.is_relative_to(root.resolve()) for root in roots):
            raise InvalidIdentifierError(
                f"'{uri}' is not in a folder that Scheduling Blocks may come from; use one of: "
                f"{', '.join(map(str, roots)) or 'none is set up'}"
            )
        if path.exists() and not path.is_file():
            # A read of a pipe would wait for a writer.
            raise InvalidSchedulingBlockError(
                f"{path} is not a file; name the JSON file of a Scheduling Block"
            )
        if path.stat().st_size > MAX_SIZE:
            raise InvalidSchedulingBlockError(f"{path} is larger than {MAX_SIZE} bytes; use a smaller file")
        text = path.read_bytes()
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UnknownSchedulingBlockError(f"{name} cannot be read: {why}; check the path") from error
    return SBDefinition.from_json(text, str(path))
