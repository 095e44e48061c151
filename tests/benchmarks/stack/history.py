"""Controllers with a past: one whose journal holds a long history, one that begins."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.benchmarks.stack.bench import EVENT_SIZE
from tests.benchmarks.stack.oet import SCRIPTS
from tests.benchmarks.stack.oet import Controller as Client
from tests.benchmarks.stack.oet import controller as client_of
from tests.support.controller_site import ControllerSite

from ska_oso_oet.event.journal import Document, JournalEvent, open_journal
from ska_oso_oet.model import FunctionArgs, History, Procedure, ProcedureState, Script
from ska_oso_oet.procedure.application.recorder import KIND

_SERVER: Final = "tests.benchmarks.stack.keeping_server"
_AT_ONCE: Final = 1000
_BEYOND_ALL: Final = 2_000_000_000
_TOPIC: Final = "user.script.announce"


@dataclass(frozen=True)
class Extent:
    """How much history there is.

    :param events: events in the journal
    :param procedures: procedures that have ended
    """

    events: int
    procedures: int


@dataclass(frozen=True)
class Places:
    """The two controllers; their servers are not running.

    :param old: the one with a long history
    :param new: the one that begins
    """

    old: ControllerSite
    new: ControllerSite


def places(tango_host: str, folder: Path, extent: Extent) -> Places:
    """Make the two controllers.

    :param tango_host: address of their Tango database
    :param folder: for their state directories
    :param extent: how much history the old one has
    """
    _fill(folder / "old", extent)
    properties = {"ScriptRoots": [str(SCRIPTS)], "EventRetention": [str(_BEYOND_ALL)]}
    old, new = (
        ControllerSite(tango_host, f"bench/history/{name}", folder / name, properties, _SERVER)
        for name in ("old", "new")
    )
    return Places(old, new)


@contextmanager
def clients(at: Places) -> Iterator[tuple[Client, Client]]:
    """Run both servers, and be a client of both, as long as the context lasts.

    :returns: clients of the old and of the new controller
    """
    with ExitStack() as exits:
        made = []
        for site in (at.old, at.new):
            exits.enter_context(site.served())
            made.append(exits.enter_context(client_of(site.tango_host, site.device)))
        yield made[0], made[1]


def _fill(state_directory: Path, extent: Extent) -> None:
    """Write a history as a controller would have written it."""
    journal = open_journal(
        state_directory, event_retention=_BEYOND_ALL, document_retention=extent.procedures + 1
    )
    with closing(journal):
        for first in range(1, extent.events + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, extent.events + 1))
            journal.append([JournalEvent(number, _TOPIC, _event(number)) for number in numbers], [])
        for first in range(1, extent.procedures + 1, _AT_ONCE):
            numbers = range(first, min(first + _AT_ONCE, extent.procedures + 1))
            journal.append([], [_document(number) for number in numbers])


def _event(number: int) -> str:
    head = f'{{"topic":"{_TOPIC}","msg_src":"1","msg":"'
    tail = f'","seq":{number},"time":1750000000.0}}'
    return f"{head}{'x' * (EVENT_SIZE - len(head) - len(tail))}{tail}"


def _document(number: int) -> Document:
    states = ("CREATING", "IDLE", "LOADING", "IDLE", "RUNNING", "READY", "RUNNING", "READY", "COMPLETE")
    procedure = Procedure(
        id=number,
        script=Script(script_uri=(SCRIPTS / "observation.py").as_uri()),
        script_args={"init": FunctionArgs(kwargs={"subarray_id": 1})},
        history=History(process_states=[(ProcedureState(state), 1.75e9) for state in states]),
        state=ProcedureState.COMPLETE,
        created=1.75e9,
        command_id=f"1750000000.0000000_{number}_Create",
    )
    return Document(KIND, number, procedure.model_dump_json(), live=False)
