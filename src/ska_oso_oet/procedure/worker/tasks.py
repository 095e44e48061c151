"""The queue of what the main thread of a worker is to do."""

import queue

from ska_oso_oet.mptools import EventMessage

from .messages import ToWorker


class Tasks:
    """Messages of the server, in order, for the thread that runs the script. One thread puts, one takes."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[EventMessage] = queue.SimpleQueue()
        self._next: EventMessage | None = None

    def put(self, message: EventMessage) -> None:
        """Add a message."""
        self._messages.put(message)

    def get(self) -> EventMessage:
        """Wait for the next message, and return it."""
        message, self._next = self._next or self._messages.get(), None
        return message

    def take_call(self, function: str) -> bool:
        """Take the next message if it is there already and calls a function of the script.

        :param function: name of the function
        :returns: whether the message was taken
        """
        if self._next is None and not self._messages.empty():
            self._next = self._messages.get()
        if (
            self._next is None
            or self._next.msg_type != ToWorker.RUN
            or self._next.msg["function"] != function
        ):
            return False
        self._next = None
        return True
