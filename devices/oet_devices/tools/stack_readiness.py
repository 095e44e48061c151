"""Whether the REST service of the stack can use its controllers."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from http import HTTPStatus

from .stack_process import Part, StackError

_PAUSE = 0.05
"""Seconds between two requests."""

_TIMEOUT = 5.0
"""Seconds that the answer to one may take."""


async def until_available(url: str) -> None:
    """Wait until the REST service receives the events of the controller, in any state of that.

    :param url: where it says so
    :raises StackError: if it does not within the time that each part has for its start
    """
    deadline = time.monotonic() + Part.START_TIMEOUT
    while (reason := await asyncio.to_thread(_why_unavailable, url)) is not None:
        if time.monotonic() >= deadline:
            raise StackError(f"the REST service does not find the device: {reason}")
        await asyncio.sleep(_PAUSE)


def _why_unavailable(url: str) -> str | None:
    """Return why the REST service cannot use a controller; None if it can."""
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT):  # noqa: S310 - an address of our own
            return None
    except urllib.error.HTTPError as error:
        with error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
                return str(error)
            # A controller that is switched off, or in FAULT, is still there.
            states = json.load(error)["controllers"]
            return next((state["reason"] for state in states if not state["available"]), None)
    except OSError as error:
        return str(error)
