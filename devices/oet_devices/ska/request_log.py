"""Log of the requests to a device: one line for each request that may change something."""

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeVar

import tango
from tango.server import command

from ska_oso_oet import logs

from .clients import client_of
from .enums import ResultCode

T = TypeVar("T")

_SHOWN = 300
"""Characters of an argument, and of an answer, that are logged."""


class Answered(NamedTuple):
    """A request that has been answered.

    :param name: of the command or attribute
    :param began: when it came, in seconds since 1970
    :param seconds: how long the answer took
    :param answer: the answer, in a line
    :param failed: whether it was an exception
    :param command_id: ID of the long-running command that was begun, None if none was
    :param context: context that `RequestLog.about` was given
    :param tags: tags of its subject
    """

    name: str
    began: float
    seconds: float
    answer: str
    failed: bool
    command_id: str | None
    context: object
    tags: Mapping[str, object]


class RequestLog:
    """Logs the requests of a device. Any thread may use it.

    :param device: the device; its name is read when it is needed
    """

    def __init__(self, device: Any) -> None:
        self._device = device
        self.on_request: Callable[[], None] = lambda: None
        """Called at the end of each request."""
        self.on_answer: Callable[[Answered], None] = lambda answered: None
        """Called with each request at its end. Must be quick."""
        self._request = threading.local()

    def about(self, *, by: object = None, context: object = None, **tags: object) -> None:
        """Add to the line of the request that this thread carries out.

        :param by: the requester, instead of the client of Tango
        :param context: context for `on_answer`; it is not logged
        :param tags: tags of its subject, e.g. ``procedure=7``
        """
        known = getattr(self._request, "tags", None)
        if known is not None:
            known.update(tags)
            self._request.by = by or self._request.by
            self._request.context = context or self._request.context

    def carry_out(self, name: str, argument: object, action: Callable[[], T]) -> T:
        """Carry out a request, and log its requester, its answer and its duration.

        :param name: of the command or attribute
        :param argument: its argument, None for none
        :param action: carries it out; an exception is an answer, too
        :returns: what the action returns
        """
        moment, began = time.time(), time.perf_counter()
        self._request.tags, self._request.by, self._request.context = {}, client_of(self._device), None
        answer, command_id, failed = "failed", None, True
        try:
            result = action()
            answer, command_id, failed = _described(result), _command_id(result), False
            return result
        except tango.DevFailed as error:
            answer = f"refused: {error.args[0].desc}"
            raise
        finally:
            seconds = time.perf_counter() - began
            by = self._request.by or "this server"
            what = "" if argument is None else f" {_short(argument)}"
            tags = {"device": self._device.get_name(), "command": command_id, **self._request.tags}
            self._request.tags = None
            self.on_request()
            context, self._request.context = self._request.context, None
            self.on_answer(Answered(name, moment, seconds, _short(answer), failed, command_id, context, tags))
            logs.log(
                logging.INFO, f"{name}{what} by {by} -> {_short(answer)} in {1000 * seconds:.1f} ms", **tags
            )


class LogsRequests(Protocol):
    """A device that logs its requests.

    :ivar requests: their log
    """

    requests: RequestLog


def request(**options: Any) -> Callable[[Callable[..., T]], Any]:
    """Return the decorator of a Tango command that may change something: its requests are logged.

    :param options: of `tango.server.command`
    """

    def decorate(method: Callable[..., T]) -> Any:
        @functools.wraps(method)
        def carry_out(self: LogsRequests, *arguments: Any) -> T:
            argument = arguments[0] if arguments else None
            return self.requests.carry_out(
                method.__name__, argument, functools.partial(method, self, *arguments)
            )

        carry_out.is_logged = True  # type: ignore[attr-defined]
        return command(carry_out, **options)

    return decorate


def _short(text: object) -> str:
    """Return a text in one line, without its end if it is long."""
    line = " ".join(str(text)[: _SHOWN + 1].split()) or "''"
    return line if len(str(text)) <= _SHOWN else f"{line[:_SHOWN]}…"


def _described(answer: object) -> str:
    match answer:
        case ([int(code)], [str(text)]):
            return f"{ResultCode(code).name} {text}"
        case None:
            return "done"
    return str(answer)


def _command_id(answer: object) -> str | None:
    """Return the ID of the long-running command that was begun, None if none was."""
    match answer:
        case ([ResultCode.STARTED | ResultCode.QUEUED], [str(command_id)]):
            return command_id
    return None
