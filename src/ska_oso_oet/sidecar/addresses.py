"""Addresses of resources, as the client of a request can use them."""

from starlette.requests import Request
from starlette.types import Scope

from .hosts import HOST
from .settings import API, SUBARRAYS

SITE_ROOT = "oet.site_root"
"""Key of a request's scope: the path below which an ingress serves all controllers."""

_BASE = "oet.base_uri"
"""Key of a request's scope: the result of `base_uri`, once it was computed."""

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
    """Return the address of the controller's service as the client of a request knows it.

    The headers that proxies add (``X-Forwarded-Proto``, ``-Host``, ``-Port``, ``-Prefix``) are not checked: a
    client that forges them affects only its own answers.
    """
    # Each item of a list has it.
    known: str | None = request.scope.get(_BASE)
    if known is None:
        known = f"{_origin(request)}{request.scope.get('root_path', '')}{API}"
        request.scope[_BASE] = known
    return known


def subarray_base_uri(request: Request, number: int) -> str:
    """Return the address at which the controller of a subarray is served.

    :param request: the request that is answered
    :param number: of the subarray
    """
    return f"{_origin(request)}{request.scope.get(SITE_ROOT, '')}{SUBARRAYS}/{number}{API}"


def is_https(request: Request) -> bool:
    """Return whether the client of a request has an encrypted connection, to a proxy perhaps."""
    return _scheme(request) == "https"


def requested_host(scope: Scope) -> str:
    """Return the name or address that the client of a request has used for this service, and the port.

    :param scope: of the request
    """
    request = Request(scope)
    return _host(request, _scheme(request))


def _origin(request: Request) -> str:
    scheme = _scheme(request)
    return f"{scheme}://{_host(request, scheme)}"


def _scheme(request: Request) -> str:
    scheme = _first(request, "x-forwarded-proto").lower()
    return scheme if scheme in _DEFAULT_PORTS else request.url.scheme


def _host(request: Request, scheme: str) -> str:
    forwarded = _first(request, "x-forwarded-host")
    # Hosts from headers go into answers: only names of hosts are accepted.
    host = forwarded if HOST.match(forwarded) else request.headers.get("host", "")
    if not (match := HOST.match(host)):
        server_host, server_port = request.scope.get("server") or ("localhost", None)
        return f"{server_host}:{server_port}" if server_port else str(server_host)
    port = _first(request, "x-forwarded-port")
    if match[2] is None and port.isdigit() and port != _DEFAULT_PORTS[scheme]:
        return f"{host}:{port}"
    return host


def _first(request: Request, header: str) -> str:
    """Return the value from the proxy nearest to the client."""
    return request.headers.get(header, "").partition(",")[0].strip()
