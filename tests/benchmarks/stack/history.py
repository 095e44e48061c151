"""Controllers with a past, each with another extent of history in its journal."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.benchmarks.stack.bench import EVENT_SIZE
from tests.benchmarks.stack.oet import SCRIPTS
from tests.benchmarks.stack.oet import Controller as Client
from tests.benchmarks.stack.oet import controller as client_of
from tests.support.controller_site import ControllerSite

from ska_oso_oet.journal import Document, JournalEvent, open_journal
from ska_oso_oet.model import (
    ArgCapture,
    FileSystemScript,
    ProcedureHistory,
    ProcedureInput,
    ProcedureState,
    ProcedureSummary,
)
from ska_oso_oet.procedure.application.recorder import KIND

_SERVER: Final = "tests.benchmarks.stack.keeping_server"
_AT_ONCE: Final = 1000
_BEYOND_ALL: Final = 2_000_000_000
_TOPIC: Final = "user.script.announce"


@dataclass(frozen=True, order=True)
class Extent:
    """Length of a history.

    :param procedures: procedures that have ended
    """

    procedures: int

    @property
    def events(self) -> int:
        """Events in the journal: as many as a short script publishes, for each procedure."""
        return 10 * self.procedures


@contextmanager
def places(
    tango_host: str, folder: Path, extents: Sequence[Extent]
) -> Iterator[Mapping[Extent, ControllerSite]]:
    """Have controllers with a past, whose servers are not running, as long as the context lasts.

    :param tango_host: address of their Tango database
    :param folder: for their state directories, which do not outlive the context
    :param extents: how much history each is to have
    """
    properties = {"ScriptRoots": [str(SCRIPTS)], "EventRetention": [str(_BEYOND_ALL)]}
    with TemporaryDirectory(dir=folder) as state:
        made = {}
        for extent in extents:
            name = str(extent.procedures)
            _fill(Path(state, name), extent)
            made[extent] = ControllerSite(
                tango_host, f"bench/history/{name}", Path(state, name), properties, _SERVER
            )
        yield made


@contextmanager
def clients(at: Mapping[Extent, ControllerSite]) -> Iterator[Mapping[Extent, Client]]:
    """Run the servers, and be a client of all their controllers, as long as the context lasts.

    :param at: the controllers
    """
    with ExitStack() as exits:
        made = {}
        for extent, site in at.items():
            exits.enter_context(site.served())
            made[extent] = exits.enter_context(client_of(site.tango_host, site.device))
        yield made


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
    procedure = ProcedureSummary(
        id=number,
        script=FileSystemScript((SCRIPTS / "observation.py").as_uri()),
        script_args=[ArgCapture("init", ProcedureInput(subarray_id=1))],
        history=ProcedureHistory(process_states=[(ProcedureState(state), 1.75e9) for state in states]),
        state=ProcedureState.COMPLETE,
        created=1.75e9,
        command_id=f"1750000000.0000000_{number}_Create",
    )
    return Document(KIND, number, procedure.model_dump_json(), live=False)
