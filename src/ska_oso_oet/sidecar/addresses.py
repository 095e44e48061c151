"""The addresses of resources, as whoever asks for them can use them."""

import re

from starlette.requests import Request

from .settings import API

# What a client or a proxy says of hosts goes into answers: nothing but the name of a host may.
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?\Z")
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def procedure_uri(request: Request, procedure_id: int) -> str:
    """Return the address of a procedure.

    :param request: the request that is answered
    :param procedure_id: the procedure
    """
    return f"{base_uri(request)}/procedures/{procedure_id}"


def activity_uri(request: Request, activity_id: int) -> str:
    """Return the address of an activity.

    :param request: the request that is answered
    :param activity_id: the activity
    """
    return f"{base_uri(request)}/activities/{activity_id}"


def base_uri(request: Request) -> str:
    """Return the address of the service as the client of a request knows it.

    The headers that proxies add (``X-Forwarded-Proto``, ``-Host``, ``-Port``, ``-Prefix``) are believed:
    whoever forges them deceives nobody but himself.
    """
    scheme = _first(request, "x-forwarded-proto").lower()
    if scheme not in _DEFAULT_PORTS:
        scheme = request.url.scheme
    return f"{scheme}://{_host(request, scheme)}{request.scope.get('root_path', '')}{API}"


def _host(request: Request, scheme: str) -> str:
    forwarded = _first(request, "x-forwarded-host")
    host = forwarded if _HOST.match(forwarded) else request.headers.get("host", "")
    if not (match := _HOST.match(host)):
        server_host, server_port = request.scope.get("server") or ("localhost", None)
        return f"{server_host}:{server_port}" if server_port else str(server_host)
    port = _first(request, "x-forwarded-port")
    if match[2] is None and port.isdigit() and port != _DEFAULT_PORTS[scheme]:
        return f"{host}:{port}"
    return host


def _first(request: Request, header: str) -> str:
    """Return what the proxy nearest to the client has said."""
    return request.headers.get(header, "").partition(",")[0].strip()
