"""Observers of procedures: the callback interface by which changes are reported."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, Protocol, TypeVar, cast

from ska_oso_oet.model import ExecutableScript, ProcedureInput, ProcedureState, Question

P = ParamSpec("P")
T = TypeVar("T")

LOGGER = logging.getLogger(__name__)


class ProcedureObserver(Protocol):
    """Callback interface for all changes of procedures, called in the thread of the message loop.

    Its methods must be quick, and must not call the process manager.
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
        :param origin: object that the caller has passed with the request
        """

    def requested(self, procedure_id: int, origin: Any) -> None:
        """A procedure is to start or to stop.

        :param origin: object that the caller has passed with the request
        """

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """A procedure is in another state.

        :param stacktrace: why, of a failure
        """

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """A function of a script is about to be called."""

    def noted(self, procedure_id: int, facts: Mapping[str, Any]) -> None:
        """A fact about a procedure is known; its next state follows.

        :param facts: fields of its summary, by name
        """

    def announced(
        self, procedure_id: int, facts: Mapping[str, Any], topic: str, fields: Mapping[str, Any]
    ) -> None:
        """A fact about a procedure is known, and is published at once, with an event.

        :param facts: fields of its summary, by name
        :param topic: topic of the event
        :param fields: data of the event
        """

    def question_changed(self, question: Question) -> None:
        """A script has asked a question, or a question has ended."""

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """A script has published an event."""

    def idle(self) -> None:
        """No procedure runs, and none has reserved a run."""

    def congestion(self) -> "Future[None] | None":
        """Return a future to wait for before more is published; None while there is room."""

    def together(self) -> AbstractContextManager[object]:
        """Return a context whose observations are parts of one step: they may be published at its end."""

    def committed(self) -> "Future[None] | None":
        """Return a future that is done when all that was observed is in the journal, if there is one."""

    def output_written(self, procedure_id: int) -> None:
        """A script has written output."""

    def health_changed(self) -> None:
        """The fault, the standby workers, the mute workers, or the lost output has changed."""


class _Guard:
    """Calls the methods of an observer, if there is one, by `guarded`."""

    def __init__(self, observer: ProcedureObserver | None) -> None:
        self._observer = observer

    def __getattr__(self, name: str) -> Any:
        method = _nothing if self._observer is None else guarded(getattr(self._observer, name))
        # The next look-up is fast.
        setattr(self, name, method)
        return method

    def together(self) -> AbstractContextManager[object]:
        return nullcontext() if self._observer is None else self._observer.together()


def _nothing(*args: Any) -> None:
    """Do nothing."""


def guarded_observer(observer: ProcedureObserver | None) -> ProcedureObserver:
    """Return an observer that calls another, whose exceptions are logged and go no further.

    :param observer: the other, None for one that does nothing
    """
    return cast(ProcedureObserver, _Guard(observer))


def guarded(function: Callable[P, T]) -> Callable[P, T | None]:
    """Return a function that calls another, whose exceptions are logged. Its result is None then."""

    def call(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return function(*args, **kwargs)
        except BaseException:  # that of `sys.exit` would end the message loop
            LOGGER.exception("An observer of procedures failed at %r with %s", function, args)
            return None

    return call
