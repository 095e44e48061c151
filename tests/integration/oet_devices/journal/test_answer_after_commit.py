"""A command is answered as accepted only after the journal has it."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import tango
from tests.support.controller_site import ControllerSite

from oet_devices.ska.enums import ResultCode

from .conftest import ACTOR

_PATIENCE_MS = 10_000
_LONG_ENOUGH = 0.3
"""Seconds within which a command is answered, if it does not wait; the journal waits for 2 s."""


@contextmanager
def _hung(state: Path) -> Iterator[None]:
    """Keep the server from writing to its journal, as a disk that hangs would."""
    with closing(sqlite3.connect(state / "journal.sqlite", isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        yield
        intruder.execute("COMMIT")


def test_a_command_is_answered_when_the_journal_has_it(controller: ControllerSite, state: Path) -> None:
    with controller.served() as served:
        proxy = served.proxy
        procedure_id = served.create(ACTOR, part="steady")
        script = json.dumps({"script": {"script_uri": ACTOR.as_uri()}})
        for command, argument in (
            ("Create", script),
            ("Start", str(procedure_id)),
            ("Stop", str(procedure_id)),
        ):
            topic = f"request.procedure.{command.lower()}"
            before = len(served.events(topic=topic))
            with _hung(state):
                sent = proxy.command_inout_asynch(command, argument)
                with pytest.raises(tango.AsynReplyNotArrived):
                    _reply_by_now(proxy, sent)
            [code], _ = proxy.command_inout_reply(sent, _PATIENCE_MS)
            assert code == ResultCode.STARTED
            assert len(served.events(topic=topic)) == before + 1


def _reply_by_now(proxy: tango.DeviceProxy, sent: int) -> Any:
    threading.Event().wait(_LONG_ENOUGH)
    return proxy.command_inout_reply(sent)
