"""Scheduling Blocks by URI: ``file:///path.json`` or ``oda://sbd-id[/version]``."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .documents import SBDefinition
from .errors import InvalidIdentifier, InvalidSchedulingBlock, UnknownSchedulingBlock
from .interface import Oda

MAX_FILE_SIZE = 10_000_000
"""Bytes that the file of a Scheduling Block may have."""


def load_sbdefinition(uri: str, oda: Oda, roots: Sequence[Path]) -> SBDefinition:
    """Return the Scheduling Block that a URI names.

    :param uri: ``file:///path.json`` or ``oda://sbd-id[/version]``
    :param oda: where Scheduling Blocks of the second form are
    :param roots: folders that files may be in, links and ``..`` resolved
    :raises OdaError: if there is no such Scheduling Block; see `Oda` for the kinds of reasons
    """
    scheme = urlsplit(uri).scheme
    if scheme == "oda":
        return _from_oda(uri, oda)
    if scheme == "file":
        return _from_file(uri, roots)
    raise InvalidIdentifier(f"'{uri}' is malformed: give file:///path.json or oda://sbd-id[/version]")


def _from_oda(uri: str, oda: Oda) -> SBDefinition:
    sbd_id, _, version = uri.removeprefix("oda://").partition("/")
    if not version:
        return oda.get_sbdefinition(sbd_id)
    if not (version.isascii() and version.isdigit()):
        raise InvalidIdentifier(f"'{uri}' is malformed: after oda://{sbd_id}/ give a version: 1, 2, …")
    return oda.get_sbdefinition(sbd_id, int(version))


def _from_file(uri: str, roots: Sequence[Path]) -> SBDefinition:
    name = Path(unquote(uri.removeprefix("file://")))
    if not name.is_absolute() or name.suffix != ".json" or "\0" in str(name):
        raise InvalidIdentifier(f"'{uri}' is malformed: give the full path of a JSON file, file:///path.json")
    try:
        # First of all: of what lies outside, nobody is told whether it exists.
        path = name.resolve()
        if not any(path.is_relative_to(root.resolve()) for root in roots):
            raise InvalidIdentifier(
                f"'{uri}' is not in a folder that Scheduling Blocks may come from; use one of: "
                f"{', '.join(map(str, roots)) or 'none is set up'}"
            )
        if path.stat().st_size > MAX_FILE_SIZE:
            raise InvalidSchedulingBlock(f"{path} is larger than {MAX_FILE_SIZE} bytes; use a smaller file")
        text = path.read_bytes()
    except (OSError, RuntimeError) as error:
        raise UnknownSchedulingBlock(f"{name} cannot be read: {error}; check the path") from error
    return SBDefinition.from_json(text, str(path))
