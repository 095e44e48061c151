"""A call whose arguments the script's process checks before it accepts them."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future

from ..domain.errors import ArgumentsError

LOGGER = logging.getLogger(__name__)

_ANSWER_TIME = 1.0
"""Seconds after which a call counts as accepted: a client waits no longer for a busy process."""


class AskedCall:
    """A call that was sent to a worker, and is accepted or refused by its answer.

    Belongs to the message loop.

    :param loop: the message loop
    :param on_accepted: called when the call is accepted; publishes it
    :param on_refused: called when it is refused
    :param committed: returns a future for when all that is published is in the journal, None without one
    :ivar accepted: done when the call is in the journal; has an `ArgumentsError` if it was refused
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        on_accepted: Callable[[], None],
        on_refused: Callable[[], None],
        committed: "Callable[[], Future[None] | None]",
    ) -> None:
        self.accepted: Future[None] = Future()
        self.is_settled = False
        self._on_accepted = on_accepted
        self._on_refused = on_refused
        self._committed = committed
        self._timer = loop.call_later(_ANSWER_TIME, self.settle, None)

    def settle(self, refusal: str | None) -> None:
        """Accept or refuse the call; the first time counts.

        :param refusal: why it is refused, None if it is accepted
        """
        if self.is_settled:
            return
        self.is_settled = True
        self._timer.cancel()
        if refusal is not None:
            self._on_refused()
            self.accepted.set_exception(ArgumentsError(refusal))
            return
        self._on_accepted()
        if (committed := self._committed()) is None:
            self.accepted.set_result(None)
        else:
            committed.add_done_callback(self._conclude)

    def _conclude(self, committed: "Future[None]") -> None:
        if (error := committed.exception()) is not None:
            self.accepted.set_exception(error)
        else:
            self.accepted.set_result(None)
