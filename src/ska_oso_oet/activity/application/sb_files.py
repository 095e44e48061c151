"""Files with Scheduling Blocks, for the scripts of activities."""

import hashlib
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from ska_oso_oet.files import write_file
from ska_oso_oet.oda import InvalidSchedulingBlockError, SBDefinition

from ..domain import ActivityRefusedError

_DIGEST_LENGTH = 16


class SbFiles:
    """A folder of Scheduling Blocks: one file for each content, ``<sbd_id>--<version>--<digest>.json``.

    :param folder: the folder, without other users
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def path_of(self, definition: SBDefinition) -> Path:
        """Return the path of the file of a Scheduling Block, whether it exists or not.

        :raises InvalidSchedulingBlockError: if it holds text that cannot be written
        """
        digest = hashlib.sha256(_content(definition)).hexdigest()[:_DIGEST_LENGTH]
        return self._folder / f"{definition.sbd_id}--{definition.version or 0}--{digest}.json"

    def write(self, definition: SBDefinition) -> Path:
        """Write a Scheduling Block to its file, unless it is there already.

        :raises ActivityRefusedError: if that cannot be done
        :returns: path of the file
        """
        path, content = self.path_of(definition), _content(definition)
        try:
            with self._lock:
                # Its content is checked, too: a script may have written to it.
                if not _holds(path, content):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    write_file(path, content)
        except OSError as error:
            raise ActivityRefusedError(
                f"Scheduling Block {definition.sbd_id} cannot be written to {error.filename}: "
                f"{error.strerror}; check the disk of the state directory, then run the activity again"
            ) from error
        return path

    def keep_only(self, needed: Callable[[], Collection[str]]) -> None:
        """Remove the files that are not needed.

        Nothing is written meanwhile: a file that is listed as needed before it is written is not removed.

        :param needed: returns the paths of files that are needed
        """
        with self._lock:
            kept = set(needed())
            for path in self._folder.iterdir() if self._folder.is_dir() else ():
                if str(path) not in kept:
                    path.unlink(missing_ok=True)


def _content(definition: SBDefinition) -> bytes:
    """Return the text of the file of a Scheduling Block.

    :raises InvalidSchedulingBlockError: if it holds text that cannot be written
    """
    try:
        return definition.to_json().encode()
    except UnicodeEncodeError as error:
        raise InvalidSchedulingBlockError(
            f"Scheduling Block {definition.sbd_id} contains text that is not valid Unicode: {error}; "
            "correct it there"
        ) from None


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
