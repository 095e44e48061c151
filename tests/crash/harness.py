"""Rounds of a real device server's life: it is started, audited, kept busy, and killed."""

import random
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.controller_site import Controller, ControllerSite
from tests.support.tango_stack import READY, tango_database

from .audit import Audit, Past
from .clients import ACTOR, busy_clients
from .family import Family
from .server import DELAY_VARIABLE
from .sightings import By, Sightings
from .stream_witness import stream_witness
from .witness import Witness, tango_witness

_DEVICE = "test/crash/controller"
_SERVER = "tests.crash.server"
_MARK = "OET_CRASH_TEST"

_SHORTEST_LIFE, _LONGEST_LIFE = 0.3, 4.0
"""Seconds that a server lives after it was ready."""
_LONGEST_START = 1.5
"""Seconds after which a server is killed that is to die while it starts, at most."""
_STILLBORN = 0.15
"""Share of these servers."""
_COMMIT_DELAYS = (0.0, 0.02, 0.05)
"""Seconds that disks take for a transaction, at most."""
_MOURNING = 1.0
"""Seconds that processes may outlive their server."""

_PROPERTIES = {
    "ScriptRoots": [str(ACTOR.parent)],
    "AbortScript": [ACTOR.as_uri()],
    "EventRetention": ["10000000"],
    "StopGracePeriod": ["0.5"],
    "QueueStopOnFailure": ["false"],
}


@dataclass(frozen=True)
class Round:
    """Result of one round.

    :param number: counted from 1
    :param life: seconds after which the server was killed, from when it was ready
    :param seen: events that clients have seen
    :param seen_by: how often one was seen, by kind of client
    :param journalled: events that the journal has
    :param activities: activities that were requested
    :param procedures: procedures that were created
    :param unknown: those that were alive when the server was killed
    :param entries: entries of the queue that have begun
    :param processes: processes that died with the server
    :param findings: what should not be, in sentences
    """

    number: int
    life: float
    seen: int
    seen_by: Mapping[By, int]
    journalled: int
    activities: int
    procedures: int
    unknown: int
    entries: int
    processes: int
    findings: Sequence[str]

    def __str__(self) -> str:
        reported = (
            f"round {self.number}: killed after {self.life:.2f} s, {self.seen} events seen "
            f"({', '.join(f'{count} by {by}' for by, count in self.seen_by.items())}), "
            f"{self.journalled} journalled, {self.activities} activities, {self.procedures} procedures, "
            f"{self.unknown} of them unknown, {self.entries} entries of the queue, "
            f"{self.processes} processes"
        )
        return "\n  ".join([reported, *self.findings])


class _Life:
    """A server from its start to its death.

    :param site: the controller that it serves
    :param mark: found in the environment of its processes, and of no others
    :param commit_delay: seconds that its disk takes for a transaction, at most
    """

    def __init__(self, site: ControllerSite, mark: str, commit_delay: float = 0.0) -> None:
        self._site = site
        self.server = site.launch({_MARK: mark, DELAY_VARIABLE: str(commit_delay)})
        self._family = Family(self.server.pid, f"{_MARK}={mark}")

    def ready(self) -> Controller:
        """Wait until the controller can be used."""
        self.server.wait_for_output(READY)
        return self._site.connect(self.server)

    def kill(self) -> tuple[int, list[str]]:
        """Kill the server, and nobody else.

        :returns: how many processes belonged to it, and those that have outlived it
        """
        family = self._family.meet()
        self.server.send_signal(signal.SIGKILL)
        survivors = self._family.survivors(_MOURNING)
        self.server.kill()
        return family, survivors


class CrashHarness:
    """Kills the server of a controller again and again.

    :param folder: where the Tango database and the state directory are
    :param seed: of all that is chosen at random
    """

    def __init__(self, folder: Path, seed: str) -> None:
        self._folder = folder
        self._seed = seed
        self._witnesses: Sequence[Witness] = ()
        self._past = Past()

    def run(self, rounds: int) -> Iterator[Round]:
        """Kill a server in each round, and say what the next one remembers.

        :param rounds: how many
        """
        with tango_database(self._folder) as tango_host, stream_witness(tango_host, _DEVICE) as stream:
            site = ControllerSite(tango_host, _DEVICE, self._folder / "state", _PROPERTIES, _SERVER)
            self._witnesses = (tango_witness, stream)
            life = _Life(site, f"{self._seed}/0")
            try:
                for number in range(1, rounds + 1):
                    choose = random.Random(f"{self._seed}/{number}")
                    sightings, span = Sightings(), choose.uniform(_SHORTEST_LIFE, _LONGEST_LIFE)
                    processes, survivors = self._live_and_die(life, sightings, choose, span)
                    if choose.random() < _STILLBORN:
                        stillborn = _Life(site, f"{self._seed}/{number}/stillborn")
                        _let_live(choose.uniform(0, _LONGEST_START))
                        survivors += stillborn.kill()[1]
                    life = _Life(site, f"{self._seed}/{number}", choose.choice(_COMMIT_DELAYS))
                    audit = Audit(life.ready(), sightings, self._past)
                    self._past = audit.present
                    yield Round(
                        number=number,
                        life=span,
                        seen=len(sightings.events),
                        seen_by=sightings.seen_by,
                        journalled=len(audit.events),
                        activities=audit.activities.count,
                        procedures=len(audit.summaries),
                        unknown=audit.unknown,
                        entries=audit.queue.begun,
                        processes=processes,
                        findings=[
                            *(f"{each} has outlived its server" for each in survivors),
                            *audit.findings(),
                        ],
                    )
            finally:
                life.server.stop()

    def _live_and_die(
        self, life: _Life, sightings: Sightings, choose: random.Random, seconds: float
    ) -> tuple[int, list[str]]:
        """Keep a server busy for a while, then kill it. Returns what `_Life.kill` does."""
        controller = life.ready()
        with ExitStack() as stack:
            for witness in self._witnesses:
                stack.enter_context(witness(controller, sightings))
            stack.enter_context(busy_clients(controller, sightings, choose, f"p{self._past.last_id}"))
            _let_live(seconds)
            return life.kill()


def _let_live(seconds: float) -> None:
    """Let some time pass, in which others are busy."""
    threading.Event().wait(seconds)
