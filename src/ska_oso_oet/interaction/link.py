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
        """Wait no longer."""


class Link(Protocol):
    """The OET, as a script sees it."""

    def checkpoint(self, label: str | None) -> None:
        """The script has come to a checkpoint. Returns when it may go on."""

    async def checkpoint_async(self, label: str | None) -> None:
        """A coroutine of the script has come to a checkpoint. Returns when it may go on."""

    def ask(self, request: "QuestionRequest") -> PendingAnswer:
        """Ask a question of the operator."""

    def context(self) -> Mapping[str, Any]:
        """Return what operators have set for all scripts, as it is now."""


connected: Link | None = None
"""The OET that runs this script; None outside of it."""


def connect(link: Link | None) -> None:
    """Have the functions of this package use a connection from now on.

    :param link: the connection; None for none
    """
    global connected
    connected = link
