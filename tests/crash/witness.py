"""Clients that only read: they record all that they receive.

A witness is a context manager that records as long as the context lasts, made by a function of this
form.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import tango
from tests.support.controller_site import Controller
from tests.support.events import settle

from .sightings import By, Sightings

Witness = Callable[[Controller, Sightings], AbstractContextManager[None]]


@contextmanager
def tango_witness(controller: Controller, sightings: Sightings) -> Iterator[None]:
    """Record the Tango change events of a device.

    :param controller: the device
    :param sightings: where to record
    """
    listeners: dict[str, Callable[[Any], None]] = {
        "events": lambda text: sightings.event(text, By.TANGO),
        "lastEventId": sightings.event_number,
        "procedures": lambda text: _see_summaries(text, sightings),
        "activities": lambda text: _see_summaries(text, sightings),
        "scriptOutput": lambda lines: sightings.shown(lines or ()),
        "_lrcEvent": lambda pair: _see_command(pair, sightings),
    }
    subscriptions = []
    try:
        for attribute, listener in listeners.items():
            callback = _callback(listener, sightings)
            subscriptions.append(
                controller.proxy.subscribe_event(attribute, tango.EventType.CHANGE_EVENT, callback)
            )
        settle(controller.proxy)
        yield
    finally:
        for subscription in subscriptions:
            controller.proxy.unsubscribe_event(subscription)


def _callback(listener: Callable[[Any], None], sightings: Sightings) -> Callable[[tango.EventData], None]:
    def on_event(event: tango.EventData) -> None:
        if event.err:
            return  # the server is dead
        try:
            listener(event.attr_value.value)
        except Exception as error:
            # Tango would only print it.
            sightings.contradiction(f"{event.attr_name} sent a value that cannot be read: {error!r}")

    return on_event


def _see_summaries(text: str, sightings: Sightings) -> None:
    for summary in json.loads(text):
        sightings.summary(summary)


def _see_command(pair: tuple[str, ...], sightings: Sightings) -> None:
    """Record the summary that a command has for its result."""
    if len(pair) == 2:
        code, result = json.loads(pair[1]).get("result", (None, None))
        if code == 0 and isinstance(result, dict):
            sightings.summary(result)
