"""Requests without a field for the requester, which is sent before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ska_oso_oet.model import NextRequest, PlainRequest, Requester

from .errors import NotOfferedError
from .link import DeviceLink


class NamedRequests:
    """Names the requesters of requests that this program passes on.

    :param link: the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link
        # What is named is the next request of this process: others have to wait for that.
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def next_by(self, request: PlainRequest, by: Requester | None) -> AsyncIterator[None]:
        """Send one request in the context, and have the device record its requester.

        :param request: the request
        :param by: its requester; None for this process
        :raises ControllerError: if the device does not answer
        """
        if by is None:
            yield
            return
        async with self._lock:
            following = NextRequest(request=request, requested_by=by)
            with suppress(NotOfferedError):  # an older device records this process
                await self._link.command("NameRequester", following.model_dump_json(ensure_ascii=True))
            yield
