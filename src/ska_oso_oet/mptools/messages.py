"""The message that travels between processes."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EventMessage:
    """A message and its metadata, as sent on the event queue between workers and their parent.

    :param msg_src: name of the sender
    :param msg_type: what kind of message it is; sender and receiver agree on the kinds
    :param msg: payload; what is not JSON arrives as its nearest JSON rendering
    """

    msg_src: str
    msg_type: str
    msg: Any = field(default=None)
