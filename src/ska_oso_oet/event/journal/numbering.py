"""Which numbers have been given out, known even when the storage that held them is lost.

Beside the storage lies a small file of high-water marks. Numbers are reserved in it in blocks, so it is
written once in thousands of events, and no number above its marks was ever given out.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

LOGGER = logging.getLogger(__name__)

_FILE_NAME: Final = "journal.marks"
_EVENT_BLOCK: Final = 10_000
_ID_BLOCK: Final = 100
# A salvaged number misses what was in the part that could not be read.
_EVENT_MARGIN: Final = 1_000_000
_ID_MARGIN: Final = 1_000
_BEGINNING_OF_2020: Final = 1_577_836_800


@dataclass(frozen=True)
class Numbering:
    """The greatest numbers that may have been given out.

    :ivar last_seq: of events
    :ivar last_ids: of documents, by kind
    :ivar id_floor: of documents of any kind that is not in `last_ids`
    """

    last_seq: int = 0
    last_ids: Mapping[str, int] = field(default_factory=dict)
    id_floor: int = 0

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may have been given out for a kind of document."""
        return self.last_ids.get(kind, self.id_floor)

    def reaches(self, other: "Numbering") -> bool:
        """Return whether none of these numbers is less than the other's."""
        return self.last_seq >= other.last_seq and all(
            self.last_id(kind) >= last for kind, last in other.last_ids.items()
        )

    def to_json_values(self) -> dict[str, Any]:
        """Return what `from_json_values` takes."""
        return {"last_seq": self.last_seq, "last_ids": dict(self.last_ids), "id_floor": self.id_floor}

    @staticmethod
    def from_json_values(values: Any) -> "Numbering":
        """Return what was written by `to_json_values`.

        :raises Exception: one of several, if it is something else
        """
        ids = {str(kind): int(last) for kind, last in values["last_ids"].items()}
        return Numbering(int(values["last_seq"]), ids, int(values["id_floor"]))

    def union(self, other: "Numbering") -> "Numbering":
        """Return the greater of each number."""
        kinds = {*self.last_ids, *other.last_ids}
        return Numbering(
            max(self.last_seq, other.last_seq),
            {kind: max(self.last_id(kind), other.last_id(kind)) for kind in kinds},
            max(self.id_floor, other.id_floor),
        )

    def with_margin(self) -> "Numbering":
        """Return numbers that are safely beyond these, which were read from an incomplete storage."""
        ids = {kind: last + _ID_MARGIN for kind, last in self.last_ids.items()}
        return Numbering(self.last_seq + _EVENT_MARGIN, ids, self.id_floor + _ID_MARGIN)

    def is_plausible(self) -> bool:
        """Whether a telescope can have come that far, or damaged bytes were read as numbers."""
        bound = unheard_of_numbering()
        greatest_id = max(self.last_ids.values(), default=0)
        return 0 <= self.last_seq <= bound.last_seq and greatest_id <= bound.id_floor


def unheard_of_numbering() -> Numbering:
    """Return numbers that no OET has reached, for when nothing is known of the past.

    They are those of an OET that has published an event each millisecond, and created a procedure
    each second, since 2020. IDs remain below the 2^31 that a Tango DevLong can hold.
    """
    seconds = time.time() - _BEGINNING_OF_2020
    return Numbering(int(seconds * 1000), {}, int(seconds))


@dataclass(frozen=True)
class Marks:
    """What the file of high-water marks says.

    :ivar numbering: no number beyond these was given out
    :ivar exact: whether the journal was closed, and these are the last numbers given out
    :ivar stored: what the storage had at the time, at least; None if it could not be written then, so that it
        has less than was given out
    :ivar boot: which run of the operating system the file was written in
    """

    numbering: Numbering
    exact: bool
    stored: Numbering | None
    boot: str

    def is_missed_by(self, found: Numbering) -> bool:
        """Return whether a storage lacks something that was given out.

        :param found: the greatest numbers that it has
        """
        if self.exact:
            return found != self.numbering
        return self.stored is None or not found.reaches(self.stored)

    @property
    def crossed_power_loss(self) -> bool:
        """Whether the operating system stopped while numbers were being given out."""
        return not self.exact and self.boot != _boot_id()


class HighWaterMarks:
    """Reserves numbers in the file of high-water marks of a state directory.

    :param directory: the state directory
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE_NAME
        self._reserved = Numbering()
        self._is_behind = False

    def load(self) -> Marks | None:
        """Return what the file says, or None if there is none that can be read."""
        try:
            content = json.loads(self._path.read_bytes())
            stored = content["stored"]
            return Marks(
                Numbering.from_json_values(content),
                bool(content["exact"]),
                Numbering.from_json_values(stored) if stored is not None else None,
                str(content["boot"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            LOGGER.warning("The high-water marks in %s cannot be read: %s", self._path, error)
            return None

    def cover(self, given_out: Numbering, stored: Numbering | None) -> None:
        """Reserve numbers beyond these, unless enough are reserved already.

        The next block is reserved when half of the last one is used, so that there are numbers left for a
        time in which this file can't be written either.

        :param stored: the numbers that the storage has; None if it lacks some that were given out
        :raises OSError: if the file can't be written
        """
        is_behind = stored is None
        if is_behind == self._is_behind and self._suffices_for(given_out):
            return
        ids = {kind: last + _ID_BLOCK for kind, last in given_out.last_ids.items()}
        numbering = Numbering(given_out.last_seq + _EVENT_BLOCK, ids, given_out.id_floor)
        self._write(numbering, stored, exact=False)
        self._reserved, self._is_behind = numbering, is_behind

    def _suffices_for(self, given_out: Numbering) -> bool:
        reserved = self._reserved
        return given_out.last_seq + _EVENT_BLOCK // 2 <= reserved.last_seq and all(
            last + _ID_BLOCK // 2 <= reserved.last_ids.get(kind, 0)
            for kind, last in given_out.last_ids.items()
        )

    def settle(self, numbering: Numbering) -> None:
        """Write down the last numbers given out, at the orderly end.

        :raises OSError: if the file can't be written
        """
        self._write(numbering, numbering, exact=True)
        self._reserved = Numbering()

    def _write(self, numbering: Numbering, stored: Numbering | None, *, exact: bool) -> None:
        content = {
            **numbering.to_json_values(),
            "exact": exact,
            "stored": stored.to_json_values() if stored is not None else None,
            "boot": _boot_id(),
        }
        draft = self._path.with_suffix(".marks.new")
        with draft.open("w") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        _sync_directory(self._path.parent)


def _sync_directory(directory: Path) -> None:
    """See to it that a renaming in a directory survives a power cut, where the file system can do that."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _boot_id() -> str:
    """Return what Linux calls its present run; empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
