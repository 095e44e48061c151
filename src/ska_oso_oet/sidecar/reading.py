"""Routes that list and describe the summaries of one kind: procedures or activities."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Generic, TypeVar

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, BeforeValidator
from pydantic_core import to_json
from starlette.responses import JSONResponse

from ska_oso_oet.client import Controller, NotFoundError

from .errors import responses
from .service import Service, ServiceDependency

S = TypeVar("S")

_MAX_ID = (1 << 31) - 1
"""Greatest ID that a DevLong can hold."""


def _require_plain(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ValueError("an ID consists of digits")
    return text


PLAIN_NUMBER = BeforeValidator(_require_plain)
"""Refuses other forms that Python reads as numbers, such as ``+1`` and ``1_0``: an ID has one address."""


class SummaryResponse(JSONResponse):
    """JSON of summaries. pydantic writes it several times as fast as the standard library."""

    def render(self, content: Any) -> bytes:
        """Return the body of the answer."""
        return to_json(content)


@dataclass(frozen=True)
class Kind(Generic[S]):
    """A kind of summary, with its representation in this service.

    :param name: in the singular, e.g. ``procedure``
    :param plural: in the plural, e.g. ``procedures``: the path, and the key of a list
    :param phrase: with its article, e.g. ``a procedure``
    :param id_name: name of its ID in messages
    :param ids_field: field of events with the IDs that a client asks for
    :param read: asks the controller for one
    :param read_all: asks the controller for all
    :param to_json: makes the JSON of a summary, for the request that is answered
    :param to_event: makes the JSON of a summary for events
    """

    name: str
    plural: str
    phrase: str
    id_name: str
    ids_field: str
    read: Callable[[Controller, int], Awaitable[S]]
    read_all: Callable[[Controller], Awaitable[list[S]]]
    to_json: Callable[[S, Request], dict[str, Any]]
    to_event: Callable[[S], dict[str, Any]]

    async def find(self, controller: Controller, number: int) -> S:
        """Return a summary.

        :raises NotFoundError: if the ID does not exist
        """
        self.check(number)
        return await self.read(controller, number)

    async def list_for_client(self, service: Service) -> list[S]:
        """Return all summaries, and publish the request."""
        listing = service.listings.begin(self.name, **{self.ids_field: None})
        found = await self.read_all(service.controller)
        if listing is not None:
            listing.end(map(self.to_event, found))
        return found

    async def describe_for_client(self, service: Service, number: int) -> S:
        """Return a summary, and publish the request.

        :raises NotFoundError: if the ID does not exist
        """
        listing = service.listings.begin(self.name, **{self.ids_field: [number]})
        try:
            found = await self.find(service.controller, number)
        except NotFoundError:
            if listing is not None:
                listing.end([])
            raise
        if listing is not None:
            listing.end([self.to_event(found)])
        return found

    def check(self, number: int) -> None:
        """Make sure that an ID can exist; 0 would be the last one to the device.

        :raises NotFoundError: if it cannot
        """
        if not 1 <= number <= _MAX_ID:
            raise NotFoundError(f"No information available for {self.id_name}={number}")

    def reply(
        self,
        summary: S,
        request: Request,
        status: HTTPStatus = HTTPStatus.OK,
        headers: dict[str, str] | None = None,
    ) -> JSONResponse:
        """Return an answer with a summary."""
        return SummaryResponse({self.name: self.to_json(summary, request)}, status, headers)

    def reply_with_all(self, summaries: Iterable[S], request: Request, **more: Any) -> JSONResponse:
        """Return an answer with a list of summaries.

        :param more: further members of the answer
        """
        return SummaryResponse({self.plural: [self.to_json(each, request) for each in summaries], **more})


def add_list_route(router: APIRouter, kind: Kind[S], all_replies: type[BaseModel]) -> None:
    """Add the route that lists summaries.

    :param router: the router
    :param kind: of the summaries
    :param all_replies: form of the answer with the list
    """

    @router.get(
        f"/{kind.plural}",
        response_model=all_replies,
        responses=responses(500, 503, 504),
        name=f"list_{kind.plural}",
        summary=f"List {kind.plural}",
        description=f"Return all {kind.plural} that are live, and the newest that have ended.",
    )
    async def list_all(request: Request, service: ServiceDependency) -> JSONResponse:
        return kind.reply_with_all(await kind.list_for_client(service), request)


def add_describe_route(router: APIRouter, kind: Kind[S], reply: type[BaseModel]) -> None:
    """Add the route that describes one summary.

    :param router: the router
    :param kind: of the summaries
    :param reply: form of the answer with one of them
    """

    @router.get(
        f"/{kind.plural}/{{{kind.name}_id}}",
        response_model=reply,
        responses=responses(403, 404, 500, 503, 504),
        name=f"get_{kind.name}",
        summary=f"Describe {kind.phrase}",
        description=f"Return {kind.phrase}, also one that is no longer listed.",
    )
    async def describe(
        number: Annotated[
            int,
            PLAIN_NUMBER,
            Path(
                alias=f"{kind.name}_id",
                description=f"ID of the {kind.name}",
                json_schema_extra={"minimum": 1},
            ),
        ],
        request: Request,
        service: ServiceDependency,
    ) -> JSONResponse:
        return kind.reply(await kind.describe_for_client(service, number), request)
