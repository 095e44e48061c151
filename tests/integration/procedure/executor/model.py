"""Simple model of a ProcessManager, to compare it with.

In the model, nothing takes time: after each action, a procedure is at once where it will stay
until somebody does something about it.
"""

from dataclasses import dataclass, field

from tests.support.script_bench import script

from ska_oso_oet.procedure.domain import (
    AnotherProcedureRunsError,
    ArgumentsError,
    ProcedureNotFoundError,
    ProcedureState,
    StateForbidsError,
)

ACTS = {
    "returns": "pass",
    "waits": "pass_gate({part!r})",
    "raises": "raise ValueError({part!r})",
    "exits": "os._exit(3)",
    "clings": "signal.signal(signal.SIGTERM, signal.SIG_IGN)\npass_gate({part!r})",
    "catches": "done = False\nwhile not done:\n    try:\n        pass_gate({part!r})\n        done = True\n"
    "    except BaseException:\n        pass",
}
"""Actions of a part of a script, and their Python."""

_WAITING = frozenset({"waits", "clings", "catches"})
_TOP = """
pub.sendMessage("user.pid", pid=os.getpid())
def pass_gate(part):
    os.close(os.open({gates!r} + "/" + part, os.O_RDONLY))
"""


@dataclass(frozen=True)
class Kind:
    """A script, part by part, in terms of `ACTS`.

    :param load: when it is loaded
    :param init: in its ``init``, None for a script without
    :param main: in its ``main``
    """

    load: str
    init: str | None
    main: str

    def text(self, gates: str) -> str:
        """Return the script.

        :param gates: folder of the named pipes that it waits at
        """
        init = None if self.init is None else ACTS[self.init].format(part="init")
        load = ACTS[self.load].format(part="load")
        return script(ACTS[self.main].format(part="main"), init, _TOP.format(gates=gates) + load + "\n")


@dataclass
class ModelProcedure:
    """A procedure.

    :param kind: what its script does
    :param states: the states it has passed through
    :param at: the part of its script that it waits in, "" where it waits for somebody else
    :param wants_main: whether it has been started, or will be as soon as it is READY
    :param fits: whether the arguments of ``main`` are such as it takes
    """

    kind: Kind
    states: list[str] = field(default_factory=lambda: ["CREATING", "IDLE", "LOADING"])
    at: str = "load"
    wants_main: bool = False
    fits: bool = True

    @property
    def state(self) -> ProcedureState:
        """The state it is in."""
        return ProcedureState(self.states[-1])

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return not self.state.is_final

    def belongs_to(self, group: str) -> bool:
        """Return whether it is of a kind; see `ModelManager.group`."""
        match group:
            case "live":
                return self.is_live
            case "ready":
                return self.state is ProcedureState.READY
            case "running":
                return self.is_live and self.at == "main"
            case "waiting":
                return self.is_live and bool(self.at)
        return True

    def do_part(self) -> None:
        """Do the part that it is at, if that does not wait."""
        act = getattr(self.kind, self.at)
        if act in ("raises", "exits"):
            self.end(ProcedureState.FAILED)
        elif act not in _WAITING:
            self.leave_part()

    def leave_part(self) -> None:
        """Return from the part that it is at, and go on."""
        part, self.at = self.at, ""
        if part == "load":
            self.states.append("IDLE")
            if self.kind.init is not None:
                self._enter("init")
                return
        self.states.append("READY")
        if part == "main":
            self.end(ProcedureState.COMPLETE)
        elif self.wants_main:
            self._enter("main")

    def call_main(self, *, fits: bool) -> None:
        """Be started: at once, or as soon as it is READY."""
        self.wants_main, self.fits = True, fits
        if self.state is ProcedureState.READY:
            self._enter("main")

    def _enter(self, part: str) -> None:
        if part == "main" and not self.fits:
            self.end(ProcedureState.FAILED)
            return
        self.at = part
        self.states.append("RUNNING")
        self.do_part()

    def end(self, state: ProcedureState) -> None:
        """Be in a final state."""
        self.at = ""
        self.states.append(str(state))


class ModelManager:
    """Procedures by their ID, and the one that runs."""

    def __init__(self) -> None:
        self.procedures: dict[int, ModelProcedure] = {}
        self._started: int | None = None

    @property
    def running(self) -> int | None:
        """ID of the procedure that runs ``main``, or is about to."""
        started = self.procedures.get(self._started or 0)
        return self._started if started is not None and started.is_live else None

    def group(self, name: str) -> list[int]:
        """Return the IDs of procedures of some kind.

        :param name: ``live``, ``ready``, ``running`` (their ``main``), ``waiting`` (at a gate) or ``all``
        """
        return [number for number, procedure in self.procedures.items() if procedure.belongs_to(name)]

    def create(self, number: int, kind: Kind) -> None:
        """Create a procedure."""
        self.procedures[number] = ModelProcedure(kind)
        self.procedures[number].do_part()

    def refusal_of_start(self, number: int, *, force: bool, fits: bool = True) -> type[Exception] | None:
        """Return by what a start is refused, None if it is not."""
        procedure = self.procedures[number]
        if not procedure.is_live:
            return ProcedureNotFoundError
        if procedure.wants_main:
            return StateForbidsError
        if self.running is not None:
            return AnotherProcedureRunsError
        if procedure.state is not ProcedureState.READY and not force:
            return StateForbidsError
        # Before a script is loaded nobody knows its functions.
        knows = procedure.state is not ProcedureState.LOADING
        return None if fits or not knows else ArgumentsError

    def start(self, number: int, *, fits: bool = True) -> None:
        """Start a procedure; nothing forbids it."""
        self._started = number
        self.procedures[number].call_main(fits=fits)

    def stop(self, number: int, successor: int | None = None) -> None:
        """Stop a procedure that is live; another may follow it."""
        self.procedures[number].end(ProcedureState.STOPPED)
        if successor is not None and self.procedures[successor].is_live and self.running != successor:
            if self.running is not None:
                self.procedures[successor].end(ProcedureState.FAILED)
            else:
                self.start(successor)
