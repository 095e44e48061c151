"""Events as the JSON texts that they travel as: whoever passes them on need not take them apart."""

import re
from typing import NamedTuple

import orjson

from ska_oso_oet.model import Event

# The bus writes these two last. Nothing that a script publishes can look like this: inside a string of
# JSON the quotes would be escaped, and what is not inside a string would not be followed by the end.
_TAIL = re.compile(r',"seq":(\d+),"time":([0-9.eE+-]+)\}\Z')
_TAIL_BEGINS = ',"seq":'
_LONGEST_TAIL = 80


class RawEvent(NamedTuple):
    """An event, and the two of its fields that tell it from all others.

    :param seq: its number
    :param time: when the bus received it, seconds since 1970 (UTC)
    :param text: all of it, as one line of JSON
    """

    seq: int
    time: float
    text: str

    @classmethod
    def read(cls, text: str) -> "RawEvent | None":
        """Return the event that a JSON text holds, or None for the empty object before the first event.

        :param text: JSON object
        :raises ValueError: if it is no event
        """
        begin = text.rfind(_TAIL_BEGINS, max(0, len(text) - _LONGEST_TAIL))
        if begin >= 0 and (tail := _TAIL.match(text, begin)):
            return cls(int(tail[1]), float(tail[2]), text)
        return cls.of(orjson.loads(text))

    @classmethod
    def of(cls, fields: dict[str, object]) -> "RawEvent | None":
        """Return the event that has these fields, or None if it has none.

        :param fields: what its JSON holds
        :raises ValueError: if one is missing
        """
        if not fields:
            return None
        seq, time = fields.get("seq"), fields.get("time")
        if not isinstance(seq, int) or not isinstance(time, (int, float)):
            raise ValueError("an event has a number (seq) and a time")
        return cls(seq, float(time), orjson.dumps(fields).decode())

    def parse(self) -> Event:
        """Return the event as a model."""
        return Event.model_validate(orjson.loads(self.text))

    @property
    def identity(self) -> tuple[int, float]:
        """What no other event has in common with this one, even if the numbering begins anew."""
        return self.seq, self.time


def read_list(text: str) -> list[RawEvent]:
    """Return the events of a JSON list, as GetEvents answers it.

    :param text: JSON list of events
    :raises ValueError: if it is none
    """
    events = (RawEvent.of(fields) for fields in orjson.loads(text))
    return [event for event in events if event is not None]
