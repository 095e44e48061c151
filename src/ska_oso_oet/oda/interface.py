"""What any home of Scheduling Blocks can do."""

from typing import Protocol

from .documents import SBDefinition, SBInstance
from .errors import InvalidSchedulingBlock

DEFAULT_TIME_LIMIT = 30.0
"""Seconds that fetching a Scheduling Block may take, all attempts together."""


class Oda(Protocol):
    """A home of Scheduling Blocks: the Observatory Data Archive, or what stands for it.

    May be used from any thread.
    """

    def get_sbdefinition(self, sbd_id: str, version: int | None = None) -> SBDefinition:
        """Return a Scheduling Block.

        :param sbd_id: its ID
        :param version: its version; None for the newest
        :raises InvalidIdentifier: if the ID or the version is malformed
        :raises UnknownSchedulingBlock: if there is none of this ID
        :raises UnknownVersion: if there is none of this version
        :raises InvalidSchedulingBlock: if what is stored is no Scheduling Block of this ID
        :raises OdaUnavailable: if the ODA cannot be reached
        :raises OdaRefused: if the ODA refuses the request
        :raises OdaNotConfigured: if there is no ODA where the settings say
        """

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store that a Scheduling Block was executed.

        :param instance: the record
        :raises InvalidIdentifier: if its ID is malformed
        :raises StoringNotSupported: if this ODA takes no such records, or has this one already
        :raises OdaUnavailable: if the ODA cannot be reached
        :raises OdaNotConfigured: if there is no ODA where the settings say
        """

    def close(self) -> None:
        """Let go of connections. A request that waits for its next attempt ends at once."""


def require_id(definition: SBDefinition, sbd_id: str, source: str) -> SBDefinition:
    """Return a Scheduling Block if it has the ID that was asked for.

    :param source: where it came from, for messages
    :raises InvalidSchedulingBlock: if it has another one
    """
    if definition.sbd_id != sbd_id:
        raise InvalidSchedulingBlock(
            f"{source} should hold Scheduling Block '{sbd_id}', and holds '{definition.sbd_id}'; "
            "correct it there"
        )
    return definition
