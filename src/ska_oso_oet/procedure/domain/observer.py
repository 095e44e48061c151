"""Who is told what becomes of procedures."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.mptools import EventMessage

from .protocol import FromWorker
from .scripts import ExecutableScript, ProcedureInput

LOGGER = logging.getLogger(__name__)


class ProcedureObserver(Protocol):
    """Told by the message loop, in its thread, of all that happens to procedures.

    Its methods must be quick, and must not call the manager.
    """

    def created(
        self,
        procedure_id: int,
        script: ExecutableScript,
        waiting: Mapping[str, ProcedureInput],
        origin: Any,
    ) -> None:
        """A procedure has been created; its first state follows.

        :param waiting: arguments that were given already, by the function that they are for
        :param origin: what the caller wanted to be passed on with the request
        """

    def requested(self, procedure_id: int, origin: Any) -> None:
        """A procedure is to start or to stop.

        :param origin: what the caller wanted to be passed on with the request
        """

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """A procedure is in another state.

        :param stacktrace: why, of a failure
        """

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """A function of a script is about to be called."""

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """A script has published an event."""

    def congestion(self) -> "Future[None] | None":
        """Return what to wait for before more is published; None while there is room for it."""

    def output_written(self, procedure_id: int) -> None:
        """A script has written output."""

    def health_changed(self) -> None:
        """The manager's `fault`, the number of its standby workers, or a worker's answers have changed."""


class GuardedObserver:
    """Passes on what it is told; nobody it tells can stop the message loop by raising.

    :param observer: told of everything
    :param on_pubsub: called with the events that scripts publish
    """

    def __init__(
        self, observer: ProcedureObserver | None, on_pubsub: Sequence[Callable[[EventMessage], None]]
    ) -> None:
        self._observer = observer
        self._on_pubsub = on_pubsub

    def created(
        self,
        procedure_id: int,
        script: ExecutableScript,
        waiting: Mapping[str, ProcedureInput],
        origin: Any,
    ) -> None:
        """A procedure has been created."""
        if self._observer is not None:
            self._tell(self._observer.created, procedure_id, script, waiting, origin)

    def requested(self, procedure_id: int, origin: Any) -> None:
        """A procedure is to start or to stop."""
        if self._observer is not None:
            self._tell(self._observer.requested, procedure_id, origin)

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """A procedure is in another state."""
        if self._observer is not None:
            self._tell(self._observer.state_changed, procedure_id, state, stacktrace)

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """A function of a script is about to be called."""
        if self._observer is not None:
            self._tell(self._observer.function_called, procedure_id, function, arguments)

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """A script has published an event."""
        if self._observer is not None:
            self._tell(self._observer.published, procedure_id, topic, msg_src, fields)
        for callback in self._on_pubsub:
            payload = {"topic": topic, "msg_src": msg_src, "fields": fields}
            self._tell(callback, EventMessage(str(procedure_id), FromWorker.PUBSUB, payload))

    def congestion(self) -> "Future[None] | None":
        """Return what to wait for before more is published."""
        return None if self._observer is None else self._observer.congestion()

    def output_written(self, procedure_id: int) -> None:
        """A script has written output."""
        if self._observer is not None:
            self._tell(self._observer.output_written, procedure_id)

    def health_changed(self) -> None:
        """Something that decides about health has changed."""
        if self._observer is not None:
            self._tell(self._observer.health_changed)

    @staticmethod
    def _tell(method: Callable[..., None], *args: Any) -> None:
        try:
            method(*args)
        except BaseException:  # that of `sys.exit` would end the message loop
            LOGGER.exception("An observer of procedures failed at %r with %s", method, args)
