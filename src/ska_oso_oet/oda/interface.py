"""The interface of all sources of Scheduling Blocks."""

from collections.abc import Callable
from typing import Protocol

from ska_oso_oet.model import FoundSchedulingBlock

from .documents import SBDefinition, SBInstance
from .errors import InvalidSchedulingBlockError, OdaError

DEFAULT_TIME_LIMIT = 30.0
"""Seconds that fetching a Scheduling Block may take, all attempts together."""


class Oda(Protocol):
    """A source of Scheduling Blocks: the Observatory Data Archive, or its replacement.

    May be used from any thread.
    """

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        """Return a Scheduling Block.

        :param sbd_id: its ID
        :param version: its version; None for the newest
        :raises InvalidIdentifierError: if the ID or the version is malformed
        :raises UnknownSchedulingBlockError: if there is none of this ID
        :raises UnknownVersionError: if there is none of this version
        :raises InvalidSchedulingBlockError: if the stored document is not a Scheduling Block of this ID
        :raises OdaUnavailableError: if the ODA cannot be reached
        :raises OdaRefusedError: if the ODA refuses the request
        :raises OdaNotConfiguredError: if the settings do not name an ODA
        """

    def find_sbdefinitions(self, part: str, limit: int) -> list[FoundSchedulingBlock]:
        """Return Scheduling Blocks in their newest versions, those that changed last first.

        One that is defective is returned with its defect.

        :param part: only those whose ID contains this, in upper or lower case
        :param limit: how many at most
        :raises ListingNotSupportedError: if this ODA cannot list them
        :raises OdaUnavailableError: if the ODA cannot be reached
        :raises OdaNotConfiguredError: if the settings do not name an ODA
        """

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store the record of an execution.

        :param instance: the record
        :raises InvalidIdentifierError: if its ID is malformed
        :raises StoringNotSupportedError: if this ODA does not accept such records, or has this one already
        :raises OdaUnavailableError: if the ODA cannot be reached
        :raises OdaNotConfiguredError: if the settings do not name an ODA
        """

    def close(self) -> None:
        """Close all connections. A request that waits for its next attempt ends at once."""


def require_id(definition: SBDefinition, sbd_id: str, source: str) -> SBDefinition:
    """Return a Scheduling Block if it has the requested ID.

    :param source: its source, for messages
    :raises InvalidSchedulingBlockError: if it has another one
    """
    if definition.sbd_id != sbd_id:
        raise InvalidSchedulingBlockError(
            f"{source} should contain Scheduling Block '{sbd_id}', but contains '{definition.sbd_id}'; "
            "correct it there"
        )
    return definition


def describe_found(
    sbd_id: str, version: int, changed: float, read: Callable[[], SBDefinition]
) -> FoundSchedulingBlock:
    """Return the entry of a Scheduling Block in the result of a search.

    :param sbd_id: its ID
    :param version: its newest version
    :param changed: when that was stored or changed, seconds since 1970
    :param read: returns the Scheduling Block of that version; an `OdaError` of it is its defect
    """
    try:
        # Text that is not valid Unicode, which JSON can hold, cannot be shown as it is.
        activities = sorted(name.encode(errors="replace").decode() for name in read().activities)
        defect = None
    except OdaError as error:
        activities, defect = [], str(error).encode(errors="replace").decode()
    return FoundSchedulingBlock(
        sbd_id=sbd_id, version=version, changed=changed, activities=activities, defect=defect
    )
