"""High-water marks: the greatest numbers that were assigned, known even when the storage is lost.

A small file, separate from the storage, has the high-water marks. Numbers are reserved in it in blocks: it is
written once in thousands of events, and no number above its marks was ever assigned.
"""

import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ska_oso_oet.files import write_file

LOGGER = logging.getLogger(__name__)

MARKS_FILE: Final = "journal.marks"
GREATEST_SEQ: Final = 2**53 - 1
"""The greatest number of an event: of greater ones, JavaScript loses digits."""
GREATEST_ID: Final = 2**31 - 1
"""The greatest ID of a document: what a DevLong of Tango can hold."""
_EVENT_BLOCK: Final = 10_000
_ID_BLOCK: Final = 100
# A salvaged number misses what was in the part that could not be read.
_EVENT_MARGIN: Final = 1_000_000
_ID_MARGIN: Final = 1_000
_BEGINNING_OF_2020: Final = 1_577_836_800
_LONG_AFTER_2020: Final = 2.0**30
"""Seconds; 34 years."""


@dataclass(frozen=True)
class LastNumbers:
    """The greatest numbers that may have been assigned.

    :ivar last_seq: of events
    :ivar last_ids: of documents, by kind
    :ivar id_floor: of documents of any kind that is not in `last_ids`
    """

    last_seq: int = 0
    last_ids: Mapping[str, int] = field(default_factory=dict)
    id_floor: int = 0

    def last_id(self, kind: str) -> int:
        """Return the greatest ID that may have been assigned for a kind of document."""
        return self.last_ids.get(kind, self.id_floor)

    def reaches(self, other: "LastNumbers") -> bool:
        """Return whether none of these numbers is less than the other's."""
        return self.last_seq >= other.last_seq and all(
            self.last_id(kind) >= last for kind, last in other.last_ids.items()
        )

    def to_json_values(self) -> dict[str, Any]:
        """Return the numbers as values that `from_json_values` accepts."""
        return {"last_seq": self.last_seq, "last_ids": dict(self.last_ids), "id_floor": self.id_floor}

    @staticmethod
    def from_json_values(values: Any) -> "LastNumbers":
        """Return the numbers that were written by `to_json_values`.

        :raises Exception: one of several, if the values are not such numbers
        """
        ids = {str(kind): int(last) for kind, last in values["last_ids"].items()}
        return LastNumbers(int(values["last_seq"]), ids, int(values["id_floor"]))

    def union(self, other: "LastNumbers") -> "LastNumbers":
        """Return the greater of each number."""
        kinds = {*self.last_ids, *other.last_ids}
        return LastNumbers(
            max(self.last_seq, other.last_seq),
            {kind: max(self.last_id(kind), other.last_id(kind)) for kind in kinds},
            max(self.id_floor, other.id_floor),
        )

    def with_margin(self, seconds: float = 0.0) -> "LastNumbers":
        """Return numbers that are safely beyond these, which were read from an incomplete or old storage.

        :param seconds: age of the storage; an OET is assumed to publish at most an event each millisecond,
            and to create at most a procedure each second
        """
        margin = _ID_MARGIN + int(max(seconds, 0.0))
        ids = {kind: last + margin for kind, last in self.last_ids.items()}
        events = _EVENT_MARGIN + int(max(seconds, 0.0) * 1000)
        return LastNumbers(self.last_seq + events, ids, self.id_floor + margin)

    def is_plausible(self) -> bool:
        """Whether a telescope can have reached these numbers, which may have been read from damaged bytes."""
        bound = unreached_numbers()
        greatest_id = max(self.last_ids.values(), default=0)
        return 0 <= self.last_seq <= bound.last_seq and greatest_id <= bound.id_floor


def unreached_numbers() -> LastNumbers:
    """Return numbers that no OET has reached, for when nothing is known of the past.

    An OET that published an event each millisecond, and created a procedure each second, since 2020 would
    have reached them. IDs remain below the 2^31 that a Tango DevLong can hold.
    """
    seconds = time.time() - _BEGINNING_OF_2020
    if seconds < 0:
        # The clock of this machine has not been set.
        seconds = _LONG_AFTER_2020
    return LastNumbers(int(seconds * 1000), {}, int(seconds))


@dataclass(frozen=True)
class HighWaterMarks:
    """The content of the file of high-water marks.

    :ivar last_numbers: no number beyond these was assigned
    :ivar exact: whether the journal was closed, and these are the last numbers that were assigned
    :ivar stored: the numbers that the storage had reached at least; None if it could not be written then, so
        that it has less than was assigned
    :ivar boot: Linux's ID of the boot in which the file was written
    """

    last_numbers: LastNumbers
    exact: bool
    stored: LastNumbers | None
    boot: str

    def exceed(self, found: LastNumbers) -> bool:
        """Return whether a storage lacks numbers that were assigned.

        :param found: the greatest numbers that it has
        """
        if self.exact:
            return found != self.last_numbers
        return self.stored is None or not found.reaches(self.stored)

    @property
    def crossed_power_loss(self) -> bool:
        """Whether the operating system stopped while a server was assigning numbers."""
        return not self.exact and self.boot != _boot_id()


class HighWaterMarkFile:
    """The file of high-water marks in a state directory, in which numbers are reserved.

    :param directory: the state directory
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / MARKS_FILE
        self._reserved = LastNumbers()
        self._is_behind = False

    def load(self) -> HighWaterMarks | None:
        """Return the content of the file, or None if it does not exist or cannot be read."""
        try:
            content = json.loads(self._path.read_bytes())
            stored = content["stored"]
            return HighWaterMarks(
                LastNumbers.from_json_values(content),
                bool(content["exact"]),
                LastNumbers.from_json_values(stored) if stored is not None else None,
                str(content["boot"]),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            LOGGER.warning("The high-water marks in %s cannot be read: %s", self._path, error)
            return None

    def reserve(self, assigned: LastNumbers, stored: LastNumbers | None) -> None:
        """Reserve numbers beyond these, unless enough are reserved already.

        The next block is reserved when half of the last one is used: this leaves numbers for a time in which
        this file cannot be written either.

        :param assigned: the greatest numbers that were assigned
        :param stored: the numbers that the storage has; None if it lacks some that were assigned
        :raises OSError: if the file cannot be written
        """
        is_behind = stored is None
        if is_behind == self._is_behind and self._suffices_for(assigned):
            return
        ids = {kind: last + _ID_BLOCK for kind, last in assigned.last_ids.items()}
        last_numbers = LastNumbers(assigned.last_seq + _EVENT_BLOCK, ids, assigned.id_floor)
        self._write(last_numbers, stored, exact=False)
        self._reserved, self._is_behind = last_numbers, is_behind

    def _suffices_for(self, assigned: LastNumbers) -> bool:
        reserved = self._reserved
        return assigned.last_seq + _EVENT_BLOCK // 2 <= reserved.last_seq and all(
            last + _ID_BLOCK // 2 <= reserved.last_ids.get(kind, 0)
            for kind, last in assigned.last_ids.items()
        )

    def write_incomplete(self, last_numbers: LastNumbers) -> None:
        """Write the last numbers of a storage that lacks some of what was assigned.

        :param last_numbers: no number beyond these was assigned
        :raises OSError: if the file cannot be written
        """
        self._write(last_numbers, None, exact=False)

    def write_final(self, last_numbers: LastNumbers) -> None:
        """Write the last numbers that were assigned, when the journal is closed.

        :raises OSError: if the file cannot be written
        """
        self._write(last_numbers, last_numbers, exact=True)
        self._reserved = LastNumbers()

    def _write(self, last_numbers: LastNumbers, stored: LastNumbers | None, *, exact: bool) -> None:
        content = {
            **last_numbers.to_json_values(),
            "exact": exact,
            "stored": stored.to_json_values() if stored is not None else None,
            "boot": _boot_id(),
        }
        write_file(self._path, json.dumps(content).encode())


def _boot_id() -> str:
    """Return Linux's ID of the present boot; empty where it is not available."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
