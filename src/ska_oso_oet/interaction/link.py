"""The connection between a script and the OET that runs it. Not for authors of scripts."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ska_oso_oet.model import QuestionRequest


class PendingAnswer(Protocol):
    """A question that waits for its answer."""

    def result(self) -> Any:
        """Wait for the answer.

        :raises TimeoutError: if nobody has answered in time, and there is no default
        """

    async def result_async(self) -> Any:
        """Wait for the answer; see `result`."""

    def withdraw(self) -> None:
        """Withdraw the question."""


class Link(Protocol):
    """The OET, as a script sees it."""

    def checkpoint(self, label: str | None) -> None:
        """The script has reached a checkpoint. Returns when it may continue."""

    async def checkpoint_async(self, label: str | None) -> None:
        """A coroutine of the script has reached a checkpoint. Returns when it may continue."""

    def ask(self, request: "QuestionRequest") -> PendingAnswer:
        """Ask a question of the operator."""

    def context(self) -> Mapping[str, Any]:
        """Return the context of all scripts at present."""


connected: Link | None = None
"""The OET that runs this script; None outside of it."""


def connect(link: Link | None) -> None:
    """Set the connection that the functions of this package use.

    :param link: the connection; None for none
    """
    global connected
    connected = link
