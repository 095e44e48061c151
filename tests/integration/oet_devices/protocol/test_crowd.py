"""Twenty clients at once, of both versions of the protocol: each gets an answer that is true, in time."""

import json
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
import tango
from tests.integration.oet_devices.protocol.agreement import OUTCOMES, Summary, outcome_of, states
from tests.integration.oet_devices.protocol.conftest import prepare
from tests.support.controllers import controller_proxy, embedded
from tests.support.lrc_client import CommandRefusedError, LrcListener, Update, listen_to_commands
from tests.support.patience import PATIENCE

from oet_devices.ska.enums import ResultCode, TaskStatus
from ska_oso_oet.model import ProcedureState

_CLIENTS = 20
_ACTS = 7
_TIME_OUT = 3.0
"""Seconds after which Tango gives up, unless a client says otherwise."""

_SCRIPTS = [
    "def main(): pass",
    "def main(): raise RuntimeError('the antenna is stuck')",
    "import signal\ndef main(): signal.pause()",
    (
        "from pubsub import pub\n"
        "def main():\n"
        "    for percent in (25, 50, 100):\n"
        "        pub.sendMessage('user.script.progress', progress=percent)\n"
    ),
]


@dataclass
class Answer:
    """A request of a client, and its answer."""

    command: str
    argument: Any
    sent: float
    came: float
    uid: str | None
    refusal: str

    @property
    def number(self) -> int:
        """The procedure that an accepted command is about."""
        assert self.uid is not None
        return int(self.uid.split("_")[1])


@dataclass
class Crowd:
    """All clients, and what they know of each other."""

    seed: int
    created: list[int] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    stories: list[tuple[int, Callable[[str], list[Update]]]] = field(default_factory=list)
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(_CLIENTS))

    def run_client(self, number: int, proxy: tango.DeviceProxy) -> None:
        """Be a client that creates, starts, stops and aborts at random."""
        dice = random.Random(self.seed + number)
        with tango.EnsureOmniThread(), listen_to_commands(proxy, 1 + number % 2) as listener:
            self.together.wait(30)
            for _ in range(_ACTS):
                self._act(listener, dice)
            if self.together.wait(60) == 0:
                # One of them ends a script that would run forever.
                self.answers.append(ask(listener, "Abort", None))
            self.together.wait(10)
            self._wait_for_ends(listener, self.answers)
            self.stories.append((listener.version, listener.updates))

    def _act(self, listener: LrcListener, dice: random.Random) -> None:
        known = str(dice.choice(self.created[-6:]))
        [(command, argument)] = dice.choices(
            [
                ("Create", embedded(dice.choice(_SCRIPTS))),
                ("Start", dice.choice(["", known])),
                ("Stop", dice.choice(["", known])),
                ("Abort", None),
            ],
            weights=[4, 4, 3, 1],
        )
        answer = ask(listener, command, argument)
        self.answers.append(answer)
        if command == "Create":
            self.created.append(answer.number)
            if dice.random() < 0.5:
                self._wait_for_ends(listener, [answer])
                self.answers.append(ask(listener, "Start", str(answer.number)))

    @staticmethod
    def _wait_for_ends(listener: LrcListener, answers: list[Answer]) -> None:
        """Wait until a client has heard of the ends of all commands that were accepted."""
        accepted = [answer.uid for answer in answers if answer.uid is not None]
        with listener.changed:
            ended = listener.changed.wait_for(
                lambda: all(_has_ended(listener.updates(uid)) for uid in accepted), timeout=PATIENCE
            )
        assert ended, [uid for uid in accepted if not _has_ended(listener.updates(uid))]
        assert listener.errors == []


def ask(listener: LrcListener, command: str, argument: Any) -> Answer:
    """Send a command, and record the answer."""
    sent, uid, refusal = time.time(), None, ""
    try:
        uid = listener.send(command, argument).id
    except CommandRefusedError as error:
        refusal = str(error)
    return Answer(command, argument, sent, time.time(), uid, refusal)


def _has_ended(updates: list[Update]) -> bool:
    return any(update.status is not None and update.status.is_final for update in updates)


@pytest.fixture(scope="module")
def crowd(tango_host: str, controllers: list[tango.DeviceProxy]) -> Crowd:
    """Clients that have all done what they wanted to."""
    name = controllers[1].dev_name()
    crowd = Crowd(random.randrange(10**6), created=[prepare(controllers[1], _SCRIPTS[0])])
    print("seed", crowd.seed)
    with ThreadPoolExecutor(_CLIENTS) as pool:
        proxies = [controller_proxy(tango_host, name) for _ in range(_CLIENTS)]
        list(pool.map(crowd.run_client, range(_CLIENTS), proxies))
    return crowd


@pytest.fixture(scope="module")
def procedures(crowd: Crowd, controllers: list[tango.DeviceProxy]) -> dict[int, Summary]:
    """The ends of all procedures."""
    return {number: json.loads(controllers[1].DescribeProcedure(number)) for number in crowd.created}


def test_every_answer_comes_in_time(crowd: Crowd) -> None:
    assert len(crowd.answers) > _CLIENTS * _ACTS
    assert max(answer.came - answer.sent for answer in crowd.answers) < _TIME_OUT


def test_both_versions_hear_all_of_every_command_in_order(crowd: Crowd) -> None:
    uids = [answer.uid for answer in crowd.answers if answer.uid is not None]
    assert len(set(uids)) == len(uids) > _CLIENTS
    for uid in uids:
        for version, updates in crowd.stories:
            check_order(version, updates(uid))
        ways = {tuple(u.status for u in updates(uid) if u.status is not None) for _, updates in crowd.stories}
        assert len(ways) == 1, f"clients have heard different things of {uid}: {ways}"


def check_order(version: int, updates: list[Update]) -> None:
    """Check that the updates of a command came as the protocol lays down."""
    statuses = [update.status for update in updates if update.status is not None]
    results = [index for index, update in enumerate(updates) if update.result is not None]
    last = len(updates) - 1
    assert statuses[0] is TaskStatus.STAGING
    assert all(earlier < later and not earlier.is_final for earlier, later in pairwise(statuses)), statuses
    assert statuses[-1].is_final
    # Version 1 reports the result, and then the status; version 2 both at once.
    assert results == [last - 1 if version == 1 else last], updates
    progress = [update.progress for update in updates if update.progress is not None]
    assert progress == sorted(progress)
    if progress:
        assert TaskStatus.IN_PROGRESS in statuses


def test_every_command_ends_as_its_procedure_does(crowd: Crowd, procedures: dict[int, Summary]) -> None:
    for answer in crowd.answers:
        if answer.uid is None:
            continue
        _, updates = crowd.stories[0]
        [status] = [u.status for u in updates(answer.uid) if u.status is not None and u.status.is_final]
        [result] = [u.result for u in updates(answer.uid) if u.result is not None]
        if answer.command in ("Create", "Start"):
            assert (status, result[0]) == outcome_of(answer.uid, procedures[answer.number])
        elif answer.command == "Stop":
            assert (status, result[0]) == (TaskStatus.COMPLETED, ResultCode.OK)
            assert states(procedures[answer.number])[-1] is ProcedureState.STOPPED
        else:
            assert (status, result) == (TaskStatus.COMPLETED, [ResultCode.OK, "Abort completed OK"])


def _ended(summary: Summary) -> float:
    state, when = summary["history"]["process_states"][-1]
    assert ProcedureState(state) in OUTCOMES
    return float(when)


def _main_ran(summary: Summary) -> tuple[float, float] | None:
    """Return when the ``main`` of a procedure began and when the procedure ended; None if it did not run."""
    history = [(ProcedureState(state), when) for state, when in summary["history"]["process_states"]]
    passed = [state for state, _ in history]
    if ProcedureState.READY not in passed:
        return None
    after = history[passed.index(ProcedureState.READY) + 1 :]
    begun = [when for state, when in after if state is ProcedureState.RUNNING]
    return (begun[0], _ended(summary)) if begun else None


def test_one_script_runs_at_a_time(procedures: dict[int, Summary]) -> None:
    runs = sorted(run for summary in procedures.values() if (run := _main_ran(summary)) is not None)
    assert runs
    assert all(end <= begin for (_, end), (begin, _) in pairwise(runs))


class Truth:
    """Checks whether a reason for a refusal was true when it was given.

    :param crowd: what was asked by all
    :param procedures: the ends of all procedures
    """

    def __init__(self, crowd: Crowd, procedures: dict[int, Summary]) -> None:
        self._answers = crowd.answers
        self._procedures = procedures
        self._reasons: dict[str, Callable[[Answer, int], bool]] = {
            r"procedure (\d+) \(.*\) is running: wait until it has ended, or stop it": self._runs,
            r"procedure (\d+) has been started already": self._was_started,
            r"procedure (\d+) is being stopped: create it again": self._was_stopped,
            r"procedure (\d+) has ended: create it again": self._has_ended,
            r"procedure (\d+) is [A-Z]+: wait until it is READY": self._was_not_ready,
            r"Cannot stop script with ID (\d+): Script is not running": self._has_ended,
            r"no script is running: name the procedure to stop, e\.g\. (2)": self._nothing_ran,
        }

    def of(self, answer: Answer) -> bool:
        """Return whether a refusal was true."""
        for pattern, was_true in self._reasons.items():
            if (match := re.fullmatch(pattern, answer.refusal)) is not None:
                return was_true(answer, int(match[1]))
        return False

    def _starts(self, number: int | None = None) -> list[Answer]:
        starts = [a for a in self._answers if a.command == "Start" and a.uid is not None]
        return [start for start in starts if number is None or start.number == number]

    def _was_started(self, answer: Answer, number: int) -> bool:
        return any(start.sent < answer.came for start in self._starts(number))

    def _has_ended(self, answer: Answer, number: int) -> bool:
        return _ended(self._procedures[number]) <= answer.came

    def _runs(self, answer: Answer, number: int) -> bool:
        return self._was_started(answer, number) and _ended(self._procedures[number]) >= answer.sent

    def _was_not_ready(self, answer: Answer, number: int) -> bool:
        history = self._procedures[number]["history"]["process_states"]
        return all(when >= answer.sent for state, when in history if state == ProcedureState.READY)

    def _was_stopped(self, answer: Answer, number: int) -> bool:
        stops = [a for a in self._answers if a.command in ("Stop", "Abort") and a.uid is not None]
        return any(a.sent < answer.came for a in stops if a.command == "Abort" or a.number == number)

    def _nothing_ran(self, answer: Answer, _: int) -> bool:
        return not any(
            start.came <= answer.sent and _ended(self._procedures[start.number]) >= answer.came
            for start in self._starts()
        )


def test_every_refusal_was_true(crowd: Crowd, procedures: dict[int, Summary]) -> None:
    truth = Truth(crowd, procedures)
    refused = [answer for answer in crowd.answers if answer.refusal]
    assert refused
    assert [answer for answer in refused if not truth.of(answer)] == []
