"""Commands of an OETController that answer queries in the background."""

from typing import Protocol

from oet_devices.ska.replies import Reply
from oet_devices.ska.request_log import request

from .command_taker import ACCEPTED
from .long_queries import LongQueries


class WithLongQueries(Protocol):
    """A device that answers queries in the background.

    :ivar long_queries: carries them out
    """

    long_queries: LongQueries


@request(
    dtype_in="DevString",
    doc_in="URI of a script, or JSON as that of Create",
    dtype_out="DevVarLongStringArray",
    doc_out=ACCEPTED,
)
def ExamineScript(self: WithLongQueries, argin: str) -> Reply:
    """Describe a script as DescribeScript does, also a long one, or one in git, which is fetched.

    Ends with the description.
    """
    return self.long_queries.examine(argin)


@request(
    dtype_in="DevString",
    doc_in='JSON: {"query": "part of an ID", "limit": n}, both optional',
    dtype_out="DevVarLongStringArray",
    doc_out=ACCEPTED,
)
def FindSchedulingBlocks(self: WithLongQueries, argin: str) -> Reply:
    """Find Scheduling Blocks in the ODA, with the names of their activities.

    Ends with {"sbds": [{"sbd_id", "version", "changed", "activities", ...}], "more", "cannot_list"}:
    those that changed last first, and why this ODA cannot list any, if so.
    """
    return self.long_queries.find_blocks(argin)
