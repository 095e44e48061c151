"""Events of the bus, for the attribute `events` and the command GetEvents."""

from ska_oso_oet.journal import Batch, JournalEvent
from ska_oso_oet.model import EventQuery

from .arguments import parse
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json, json_list


class Events:
    """The newest event, and those of the past.

    :param keeper: keeps the executor whose events they are
    :ivar newest: the newest event
    """

    def __init__(self, keeper: ExecutorKeeper) -> None:
        self._keeper = keeper
        self.newest = JournalEvent(0, "", "{}")

    @property
    def newest_text(self) -> str:
        """The newest event, as JSON."""
        return ascii_json(self.newest.text)

    def on_executor(self, executor: Executor) -> None:
        """Show the newest event that an executor remembers."""
        # Clients look for a gap after this number, even if that event is lost.
        self.newest = executor.newest_event or JournalEvent(executor.bus.journal.last_seq, "", "{}")

    def on_batch(self, batch: Batch) -> None:
        """Show the newest event of a batch that has events."""
        self.newest = batch.events[-1]

    def read(self, argin: str) -> str:
        """Answer GetEvents."""

        def events(executor: Executor) -> str:
            query = parse(EventQuery, argin)
            found = executor.bus.journal.read_events(query.after, query.limit, query.topic)
            return json_list(event.text for event in found)

        return self._keeper.answer("GetEvents", events)
