"""What GetEvents answers."""

from ska_oso_oet.event.journal import EventsNoLongerKept, Journal
from ska_oso_oet.model import EVENTS_IN_ANSWER, EventQuery

_READ = 128
"""Events that are read at a time: an event may have 1 MiB, and an answer must not have them all."""


def event_texts(journal: Journal, query: EventQuery) -> list[str]:
    """Return events as JSON, oldest first: those that are asked for, or as many as an answer can hold.

    :param journal: where they are
    :param query: which are asked for
    :raises EventsNoLongerKept: if the first of them are gone
    """
    found: list[str] = []
    after, size = query.after, 0
    while len(found) < query.limit and size < EVENTS_IN_ANSWER:
        wanted = min(_READ, query.limit - len(found))
        try:
            events = journal.read_events(after, wanted, query.topic)
        except EventsNoLongerKept:
            if found:  # they have gone meanwhile; whoever reads on will be told
                break
            raise
        for event in events:
            found.append(event.text)
            after = event.seq
            size += len(event.text)
            if size >= EVENTS_IN_ANSWER:
                break
        if len(events) < wanted:
            break
    return found
