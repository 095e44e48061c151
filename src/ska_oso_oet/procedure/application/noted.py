"""When what a request has led to is in the journal."""

from concurrent.futures import Future

from ska_oso_oet.event.bus import EventBus


class Noted:
    """Whether what a request has led to at once is in the journal, and no more than that.

    What follows may be much, and is of no interest to whoever waits for an answer.

    :param bus: what leads into the journal
    """

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._committed: Future[None] | None = None

    def mark(self) -> None:
        """Take note that all of it has been published. Called by the message loop."""
        self._committed = self._bus.committed()

    def wait(self) -> None:
        """Wait until that has been committed."""
        if self._committed is not None:
            self._committed.result()
