"""Routes that accept JSON as it is defined, and nothing else."""

from collections.abc import Callable, Coroutine
from email.message import Message
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.exceptions import HTTPException

_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictJsonRequest(Request):
    """A request whose JSON can be passed on unchanged.

    Python's own parser accepts values that are not JSON (NaN) or that cannot be encoded again (half of a
    surrogate pair); both would fail later, without an answer to the client.
    """

    async def json(self) -> Any:
        """Return the body.

        :raises HTTPException: 400, if it is not JSON
        """
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST, f"The request is not valid JSON: {error}") from None


class JsonRoute(APIRoute):
    """A route that reads strict JSON, and answers 415 to anything else."""

    def get_route_handler(self) -> _Handler:
        """Return the handler of requests of this route."""
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            if self.body_field is not None:
                _require_json(request)
            return await handle(StrictJsonRequest(request.scope, request.receive))

        return handle_json


def _require_json(request: Request) -> None:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    media_type = header.get_content_type() if request.headers.get("content-type") else "nothing"
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The request is marked as {media_type}: send JSON, with the header "
            "'Content-Type: application/json'.",
        )
