"""Events as JSON texts, which a program can pass on unchanged."""

from typing import Any, NamedTuple

import orjson

from ska_oso_oet.model import Event


class RawEvent(NamedTuple):
    """An event as JSON, and the two of its fields that identify it.

    :param seq: its number
    :param time: when the bus received it, seconds since 1970 (UTC)
    :param text: the whole event, as one line of JSON
    """

    seq: int
    time: float
    text: str

    @classmethod
    def read(cls, text: str) -> "RawEvent | None":
        """Parse the JSON text of an event. Return None for the empty object before the first event.

        :param text: JSON object
        :raises ValueError: if it is not an event
        """
        fields = orjson.loads(text)
        return _event(fields, text) if fields else None

    def parse(self) -> Event:
        """Return the event as a model."""
        return Event.model_validate(orjson.loads(self.text))

    @property
    def identity(self) -> tuple[int, float]:
        """Number and time: no other event has the same two, even after the numbering has restarted."""
        return self.seq, self.time


def read_list(text: str) -> list[RawEvent]:
    """Return the events of a JSON list, as GetEvents answers it.

    :param text: JSON list of events
    :raises ValueError: if it is not such a list
    """
    return [_event(fields, orjson.dumps(fields).decode()) for fields in orjson.loads(text)]


def _event(fields: Any, text: str) -> RawEvent:
    """Return an event.

    :param fields: the object that its text holds
    :raises ValueError: if it has no number or no time
    """
    try:
        seq, time = fields["seq"], fields["time"]
    except (KeyError, TypeError, IndexError):
        raise ValueError(f"an event is a JSON object with 'seq' and 'time', and not {text[:200]}") from None
    if type(seq) is not int or type(time) not in (int, float):
        raise ValueError(f"the number and the time of an event are numbers, and not {seq!r} and {time!r}")
    return RawEvent(seq, float(time), text)
