"""Clients of this service: their identity, and their connections."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import Receive

from ska_oso_oet.model import USER_HEADER, Model, Requester
from ska_oso_oet.traces import TraceParent

from .identity import IDENTITY, Identity
from .named_tokens import Role
from .tracing import HEADER, TRACE

AnyRequest = TypeVar("AnyRequest", bound=Model)
T = TypeVar("T")

_LONGEST = 100


def on_behalf_of(request: Request, body: AnyRequest) -> AnyRequest:
    """Return a request for the controller that names the client of this service.

    :param request: the request of the client
    :param body: its body, a model with a field ``requested_by``
    """
    return body.model_copy(update={"requested_by": requester_of(request)})


def requester_of(request: Request) -> Requester:
    """Return the requester of a request to this service.

    :param request: the request
    """
    # A request that was refused early, or answered by this service itself, has no identity.
    identity = request.scope.get(IDENTITY)
    known = identity if isinstance(identity, Identity) else Identity(Role.NONE)
    given = request.headers.get(USER_HEADER, "").strip()[:_LONGEST]
    trace = request.scope.get(TRACE) or TraceParent.read(request.headers.get(HEADER))
    program = request.headers.get("user-agent", "").partition(" ")[0][:_LONGEST]
    return Requester(
        user=known.user or given or None,
        client=program or "HTTP client",
        host=known.host or (request.client.host if request.client is not None else None),
        traceparent=None if trace is None else str(trace),
    )


async def until_client_leaves(receive: Receive) -> None:
    """Wait until the client of a request closes the connection.

    :param receive: receives the messages of the request, whose body no other code reads
    """
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_client_leaves(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """Do work that only the client of a request needs, and cancel it if the client disconnects.

    :param request: the request; it has no body
    :param work: the work
    :returns: the result of the work; None if the client has disconnected
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(until_client_leaves(request.receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else leaving.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)
