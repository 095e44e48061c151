"""Requests over HTTP that wait as long as this machine may need: httpx itself gives up after 5 s."""

from typing import Any

import httpx
from tests.support.patience import PATIENCE


def get(url: str, **options: Any) -> httpx.Response:
    """Send a GET, with the options of httpx."""
    return _request("GET", url, options)


def post(url: str, **options: Any) -> httpx.Response:
    """Send a POST, with the options of httpx."""
    return _request("POST", url, options)


def put(url: str, **options: Any) -> httpx.Response:
    """Send a PUT, with the options of httpx."""
    return _request("PUT", url, options)


def delete(url: str, **options: Any) -> httpx.Response:
    """Send a DELETE, with the options of httpx."""
    return _request("DELETE", url, options)


def _request(method: str, url: str, options: dict[str, Any]) -> httpx.Response:
    return httpx.request(method, url, **{"timeout": PATIENCE, **options})
