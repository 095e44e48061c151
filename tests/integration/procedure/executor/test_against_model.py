"""After any actions in any order, a ProcessManager behaves like a simple model of it.

``OET_MODEL_EXAMPLES`` sets how many sequences are tried: few without it, hundreds for a thorough look. With
it alone a sequence that fails is made shorter, which may take minutes.
"""

import functools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.integration.procedure.executor.model import Kind, ModelManager
from tests.integration.procedure.executor.witness import Witness
from tests.stress.order import is_whole

from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutorSettings,
    ProcedureInput,
    ProcedureNotFoundError,
    ProcedureState,
    ProcessManager,
)

_MOST_LIVE = 4
_NO_ARGUMENTS = ProcedureInput()
_GRACE = 0.05

_waiting, _failing = ["waits", "clings", "catches"], ["raises", "exits"]
_kinds = st.builds(
    Kind,
    load=st.sampled_from(["returns"] * 12 + ["waits", "clings", *_failing]),
    init=st.sampled_from([None, "returns"] * 6 + [*_waiting, *_failing]),
    main=st.sampled_from(["returns", *_waiting, *_waiting, *_failing]),
)

Choice = tuple[str, int]
"""A group of procedures, and which one of it."""


_rarely = st.sampled_from([False, False, False, True])


def _any_of(*groups: str) -> st.SearchStrategy[Choice]:
    return st.tuples(st.sampled_from(groups), st.integers(0, 20))


def _only_if(condition: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Have a rule do nothing unless a condition holds.

    Not as a precondition: of two that race, now one and now the other is faster, and Hypothesis demands that
    the rules that can be chosen depend on nothing but its own choices.
    """

    def wrap(rule_function: Any) -> Any:
        @functools.wraps(rule_function)
        def checked(self: Any, **arguments: Any) -> None:
            if condition(self):
                rule_function(self, **arguments)

        return checked

    return wrap


def _when_there_are(*groups: str) -> Callable[[Any], Any]:
    return _only_if(lambda self: all(self._model.group(group) for group in groups))


_when_there_is_room = _only_if(lambda self: len(self._model.group("live")) < _MOST_LIVE)


class ManagerAndModel(RuleBasedStateMachine):
    """Does the same to a manager, whose scripts run in real processes, and to the model of it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="oet-model-"))
        self._witness = Witness()
        self._model = ModelManager()
        self._gates: dict[int, Path] = {}
        self._opened: list[int] = []

    @initialize(standby=st.integers(0, 2))
    def begin(self, standby: int) -> None:
        """Begin, with some standby workers or none."""
        chosen = ExecutorSettings(
            self._folder, standby_workers=standby, stop_grace_period=_GRACE, watchdog_period=0.0
        )
        self._manager = ProcessManager(settings=chosen, observer=self._witness)

    def teardown(self) -> None:
        """End: what is live is stopped, and nothing is left."""
        self._manager.shutdown(timeout=_GRACE)
        for descriptor in self._opened:
            os.close(descriptor)
        shutil.rmtree(self._folder)
        for number in self._model.group("live"):
            self._model.procedures[number].end(ProcedureState.STOPPED)
        self.all_is_as_the_model_says()
        assert all(is_whole(states) for states in self._witness.seen().values())

    # What can be done

    @rule(kinds=st.lists(_kinds, min_size=1, max_size=_MOST_LIVE // 2), stop_at_once=_rarely)
    @_when_there_is_room
    def create(self, kinds: list[Kind], stop_at_once: bool) -> None:
        """Create procedures, and see them get as far as they can; or stop the last on its way."""
        numbers = [self._create(kind) for kind in kinds]
        if stop_at_once:
            self._stop_on_its_way(numbers[-1])
        self._settle()

    @rule(
        choice=_any_of("ready", "ready", "ready", "waiting", "all"),
        force=st.booleans(),
        fits=st.sampled_from([True, True, True, False]),
    )
    @_when_there_are("all")
    def start(self, choice: Choice, force: bool, fits: bool) -> None:
        """Start a procedure."""
        number = self._chosen(choice)
        refusal = self._model.refusal_of_start(number, force=force, fits=fits)
        arguments = _NO_ARGUMENTS if fits else ProcedureInput("one too many")
        assert self._refusal(partial(self._start, number, force, arguments)) is refusal
        if refusal is None:
            self._model.start(number, fits=fits)
        self._settle()

    @rule(first=_any_of("ready"), second=_any_of("ready"))
    @_when_there_are("ready")
    def start_two_at_once(self, first: Choice, second: Choice) -> None:
        """Start two at the same moment, or one twice."""
        numbers = self._chosen(first), self._chosen(second)
        startable = {n for n in numbers if self._model.refusal_of_start(n, force=False) is None}
        starts = [partial(self._start, number) for number in numbers]
        with ThreadPoolExecutor(2) as pool:
            refusals = list(pool.map(self._refusal, starts))
        accepted = [n for n, refusal in zip(numbers, refusals, strict=True) if refusal is None]
        assert set(accepted) <= startable
        assert bool(accepted) == bool(startable)
        # That of two both were accepted can only be where one has ended before the other was started.
        for number in sorted(accepted, key=lambda n: self._model.procedures[n].kind.main in _waiting):
            assert self._model.running is None
            self._model.start(number)
        self._settle()

    @rule(choice=_any_of("running", "ready", "waiting", "all"), times=st.sampled_from([1, 1, 2, 3]))
    @_when_there_are("live")
    def stop(self, choice: Choice, times: int) -> None:
        """Stop a procedure, or have several do that at the same moment: all but one may come too late."""
        number = self._chosen(choice)
        live = self._model.procedures[number].is_live
        with ThreadPoolExecutor(times) as pool:
            refusals = list(pool.map(self._refusal, [partial(self._manager.stop, number)] * times))
        assert refusals.count(None) >= live
        assert set(refusals) <= ({None, ProcedureNotFoundError} if live else {ProcedureNotFoundError})
        if live:
            self._model.stop(number)
        self._settle()

    @rule(
        choice=_any_of("running", "ready", "waiting"),
        follower=_any_of("ready", "ready", "waiting", "running", "all"),
    )
    @_when_there_are("live")
    def stop_and_have_followed(self, choice: Choice, follower: Choice) -> None:
        """Stop a procedure, and have another one started at once when it has stopped."""
        number, successor = self._chosen(choice), self._chosen(follower)
        if not self._model.procedures[number].is_live or number == successor:
            return
        self._manager.request_stop(number, successor=successor)
        self._model.stop(number, successor)
        self._settle()

    @rule(choice=_any_of("running", "ready", "waiting"))
    @_when_there_are("live")
    def kill(self, choice: Choice) -> None:
        """Kill the process of a script."""
        number = self._chosen(choice)
        if not self._model.procedures[number].is_live:
            return
        self._witness.wait_until(lambda: number in self._witness.pids, f"process of {number}")
        os.kill(self._witness.pids[number], signal.SIGKILL)
        self._model.procedures[number].end(ProcedureState.FAILED)
        self._settle()

    @rule(choice=_any_of("waiting"), stop_at_once=_rarely)
    @_when_there_are("waiting")
    def let_go(self, choice: Choice, stop_at_once: bool) -> None:
        """Let a script go on that waits; or stop it as soon as it has begun to."""
        number = self._chosen(choice)
        self._open_gate(number)
        if stop_at_once:
            self._stop_on_its_way(number)
        self._settle()

    # How it is done

    def _chosen(self, choice: Choice) -> int:
        """Return a procedure of a group; of all, where there are none in that group."""
        group, number = choice
        members = self._model.group(group) or list(self._model.procedures)
        return members[number % len(members)]

    def _create(self, kind: Kind) -> int:
        gates = self._folder / f"gates-{len(self._gates)}"
        gates.mkdir()
        for part in ("load", "init", "main"):
            os.mkfifo(gates / part)
        script = EmbeddedStringScript(kind.text(str(gates)))
        number = self._manager.create(script, init_args=_NO_ARGUMENTS)
        self._gates[number] = gates
        self._model.create(number, kind)
        return number

    def _start(self, number: int, force: bool = False, arguments: ProcedureInput = _NO_ARGUMENTS) -> None:
        self._manager.run(number, call="main", run_args=arguments, force_start=force)

    def _open_gate(self, number: int) -> None:
        procedure = self._model.procedures[number]
        # With both ends open here, neither this nor the script has to wait for the other.
        self._opened.append(os.open(self._gates[number] / procedure.at, os.O_RDWR))
        procedure.leave_part()

    def _stop_on_its_way(self, number: int) -> None:
        """Stop a procedure of which nobody can know how far it has come."""
        procedure = self._model.procedures[number]
        if self._refusal(partial(self._manager.stop, number)) is not None:
            # It has ended by itself: as the model says.
            assert not procedure.is_live
            return
        states = self._witness.seen()[number]
        assert states[-1] == "STOPPED"
        assert is_whole(states)
        procedure.states, procedure.at = states, ""

    @staticmethod
    def _refusal(request: Callable[[], None]) -> type[Exception] | None:
        try:
            request()
        except Exception as error:
            return type(error)
        return None

    def _settle(self) -> None:
        """Wait until all procedures are where they stay."""
        expected = self._expected()
        self._witness.wait_until(lambda: self._witness.states == expected, f"states {expected}")
        assert self._witness.seen() == expected

    def _expected(self) -> dict[int, list[str]]:
        return {number: list(procedure.states) for number, procedure in self._model.procedures.items()}

    # What must be

    @invariant()
    def all_is_as_the_model_says(self) -> None:
        """States and the one that runs are as the model says, and nothing has happened that never may."""
        assert self._witness.seen() == self._expected()
        assert self._manager.running == self._model.running
        assert self._manager.fault is None
        assert self._witness.complaints == []


TestManagerAndModel = ManagerAndModel.TestCase
_examples = int(os.environ.get("OET_MODEL_EXAMPLES", "0"))
TestManagerAndModel.settings = settings(
    max_examples=_examples or 20,
    phases=[phase for phase in Phase if _examples or phase is not Phase.shrink],
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
