"""A client of the sidecar's event stream, who stays while servers of the controller come and go."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from tests.support.controller_site import Controller
from tests.support.oet_stack import sidecar

from ska_oso_oet.cli.sse import ServerSentEvent, SseParser

from .clients import ACTOR
from .sightings import By, Sightings
from .witness import Witness

_CATCH_UP = 15.0
"""Maximum seconds until a stream has sent all earlier events."""

_ATTEMPTS = 15
"""Events that are published, one each second, until a new stream sends one."""


class _Stream:
    """Reads one stream to its end, and records its events.

    :param url: of the REST service
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._last = 0
        self._over = False
        self._reported = threading.Condition()
        self._sightings = Sightings()
        self._thread = threading.Thread(target=self._read, name="stream witness")
        self._thread.start()

    @contextmanager
    def witness(self, controller: Controller, sightings: Sightings) -> Iterator[None]:
        """Record for the clients of one more server, once all has come of the one before."""
        if not self._last:
            self._rouse(controller)
        with self._reported:
            # What came since the death of the last server.
            sightings.absorb(self._sightings)
            self._sightings = sightings
            newest = controller.proxy.lastEventId
            if self._last and not self._reported.wait_for(lambda: self._last >= newest, _CATCH_UP):
                sightings.contradiction(f"the stream is at event {self._last}, the controller at {newest}")
        yield
        with self._reported:
            self._sightings = Sightings()

    def _rouse(self, controller: Controller) -> None:
        """Publish events until the stream sends one: from then on it must send all."""
        for _ in range(_ATTEMPTS):
            controller.create(ACTOR)
            with self._reported:
                if self._reported.wait_for(lambda: self._last, 1.0):
                    return
        self._sightings.contradiction("the stream sends nothing")

    def expect_end(self) -> None:
        """Know that the stream is about to end. Before that, its end would be a finding."""
        self._over = True

    def join(self) -> None:
        """Wait until the stream has ended."""
        self._thread.join()

    def _read(self) -> None:
        try:
            self._follow()
            end = "without a word"
        except httpx.HTTPError as error:
            end = repr(error)
        with self._reported:
            if not self._over:
                self._sightings.contradiction(f"the stream has ended: {end}")

    def _follow(self) -> None:
        parser = SseParser()
        with httpx.stream("GET", f"{self._url}/stream", timeout=None) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                for item in parser.feed(chunk):
                    if isinstance(item, ServerSentEvent):
                        self._note(item)

    def _note(self, item: ServerSentEvent) -> None:
        number = json.loads(item.data).get("seq")
        if number is None:  # somebody has looked: that is not stored
            return
        with self._reported:
            if self._last and number != self._last + 1:
                self._sightings.contradiction(f"the stream went from event {self._last} to {number}")
            self._last = number
            self._sightings.event(item.data, By.STREAM)
            self._reported.notify_all()


@contextmanager
def stream_witness(tango_host: str, device: str) -> Iterator[Witness]:
    """Run a sidecar, and a client that reads its stream.

    :param tango_host: address of the Tango database
    :param device: the controller
    """
    with sidecar(tango_host, "--device", device) as service:
        stream = _Stream(service.url)
        yield stream.witness
        stream.expect_end()
        service.process.stop()
        stream.join()
