"""``/session``: the rights of the client, and the login of a browser."""

from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, Request
from pydantic import Field, SecretStr
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ska_oso_oet.model import Model

from .addresses import SITE_ROOT, is_https
from .errors import responses
from .identity import SESSION_SECONDS, Access, Identity, identity_of
from .json_route import JsonRoute
from .named_tokens import Role
from .settings import SESSION

router = APIRouter(route_class=JsonRoute, tags=["Session"])


class Login(Model):
    """Body of a login."""

    token: SecretStr = Field(description="token of the service", max_length=4096)


class SessionReply(Model):
    """Rights of the client."""

    role: Role = Field(description="none: log in first; viewer: see everything; operator: everything")
    user: str | None = Field(description="name of the client; null if the service does not know it")
    login: bool = Field(description="whether a token gives further rights")


@router.get(SESSION, response_model=SessionReply, responses=responses(403), summary="Show what I may do")
async def get_session(request: Request) -> JSONResponse:
    """Return the rights of the client, by its token or its session."""
    return _reply(request, identity_of(request.scope))


@router.post(
    SESSION,
    response_model=SessionReply,
    responses=responses(400, 401, 403, 408, 409, 413, 415),
    summary="Log a browser in",
)
async def log_in(body: Login, request: Request) -> JSONResponse:
    """Exchange the token for a session of seven days, which is a cookie that scripts in a page cannot read.

    With a session, a request that changes something needs the header `X-OET-Page`, with any value. The
    answer is 409 where no token is needed.
    """
    if not request.app.settings.is_protected:
        raise HTTPException(HTTPStatus.CONFLICT, "This service has no token: everybody may do everything.")
    token = body.token.get_secret_value().strip()
    value, identity = _access(request).session(token), _access(request).of_token(token)
    if value is None or identity is None:
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "This is not a token of the service.")
    answer = _reply(request, identity)
    _set_cookie(answer, request, value, SESSION_SECONDS)
    return answer


@router.delete(SESSION, response_model=SessionReply, responses=responses(403), summary="Log a browser out")
async def log_out(request: Request) -> JSONResponse:
    """End the session: the browser forgets the cookie."""
    scope = {**request.scope, "headers": [each for each in request.scope["headers"] if each[0] != b"cookie"]}
    answer = _reply(request, _access(request).identify(scope))
    _set_cookie(answer, request, "", 0)
    return answer


def _access(request: Request) -> Access:
    return cast(Access, request.app.access)


def _reply(request: Request, identity: Identity) -> JSONResponse:
    reply = SessionReply(role=identity.role, user=identity.user, login=request.app.settings.is_protected)
    return JSONResponse(reply.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


def _set_cookie(answer: JSONResponse, request: Request, value: str, seconds: int) -> None:
    answer.set_cookie(
        _access(request).cookie,
        value,
        max_age=seconds,
        path=f"{request.scope[SITE_ROOT]}/",
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )
