"""A script execution service of its own for a test, whose events and states the test can wait for."""

import itertools
import textwrap
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from tests.support.measurement import UNMEASURED
from tests.support.patience import PATIENCE, patience, wait_until

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Batch, Journal, MemoryJournal
from ska_oso_oet.procedure.application import (
    PrepareProcessCommand,
    ProcedureSummary,
    ScriptExecutionService,
    StartProcessCommand,
    StopOutcome,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutableScript,
    ExecutorSettings,
    FileSystemScript,
    ProcedureInput,
    ProcedureState,
)

_NO_ARGUMENTS = ProcedureInput()

_MEASURING_INTERRUPTED = "Exception ignored in atexit callback: <bound method Coverage."

_PRELUDE = """\
import ctypes, logging, multiprocessing, os, resource, signal, subprocess, sys, threading
from pubsub import pub

def say(what):
    pub.sendMessage("user.script.announce", msg=what)

def wait():
    threading.Event().wait()

"""


def script(main: str = "pass", init: str | None = None, top: str = "") -> str:
    """Return the text of a script. It has ``say``, which announces a text, and ``wait``, which never returns.

    :param main: body of ``main``
    :param init: body of ``init``; None for a script without
    :param top: what goes before the functions
    """
    functions = {"init": init, "main": main}
    parts = [
        f"def {name}():\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        for name, body in functions.items()
        if body is not None
    ]
    return "".join([_PRELUDE, textwrap.dedent(top), "\n", *parts])


class ScriptBench:
    """Prepares, starts and stops embedded scripts, and notes every event of the bus.

    :param state_directory: folder for output and working directories of scripts
    :param journal: where events and documents are kept; by default in memory
    :param service: further arguments of the service
    :param settings: settings of the executor that differ from those for tests
    """

    def __init__(
        self,
        state_directory: Path,
        *,
        journal: Journal | None = None,
        service: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self._changed = threading.Condition()
        self._events: list[dict[str, Any]] = []
        # By topic, and by topic and source: tests look often, and scripts may publish much.
        self._sorted: defaultdict[tuple[str, str | None], list[dict[str, Any]]] = defaultdict(list)
        self.mute_seen: list[int] = []
        self.folder = state_directory
        self.bus = EventBus(journal or MemoryJournal())
        self.bus.subscribe(self._on_batch)
        chosen = {"stop_grace_period": patience(0.5), "watchdog_period": 0.0, **settings}
        # Processes that a script starts are not measured: pools kill theirs while these write the data.
        chosen["environment"] = {**UNMEASURED, **chosen.get("environment", {})}
        self.service = ScriptExecutionService(
            bus=self.bus,
            settings=ExecutorSettings(state_directory, **chosen),
            on_output=lambda _: self._notify(),
            on_health=lambda: self.on_health(),
            **(service or {}),
        )
        self.manager = self.service.manager

    def close(self) -> None:
        """Stop all scripts and end all processes."""
        self.service.shutdown(patience(5.0))
        self.bus.close()

    # Reports

    def _on_batch(self, batch: Batch) -> None:
        with self._changed:
            for event in map(orjson.loads, (event.text for event in batch.events)):
                self._events.append(event)
                self._sorted[event["topic"], None].append(event)
                self._sorted[event["topic"], event["msg_src"]].append(event)
            self._changed.notify_all()

    def on_health(self) -> None:
        """Record a change of health. Called by the message loop."""
        self.mute_seen += self.manager.unresponsive
        self._notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events up to now."""
        with self._changed:
            return list(self._events)

    def of(self, topic: str, source: int | None = None) -> list[dict[str, Any]]:
        """Return the events of a topic up to now, of all sources or of one procedure."""
        with self._changed:
            return list(self._sorted[topic, None if source is None else str(source)])

    def wait_for(self, condition: Callable[[], Any], what: str = "what the test waits for") -> Any:
        """Wait until a condition holds; it is looked at after every event, output and change of health.

        :param condition: returns what is to be returned, or something false
        :param what: what is waited for
        :raises AssertionError: if it does not hold in time
        """
        return wait_until(condition, what, self._changed, lambda: self._events[-20:])

    def wait_for_event(self, topic: str, source: int | None = None) -> dict[str, Any]:
        """Wait until there is an event of a topic, and return the first."""
        event: dict[str, Any] = self.wait_for(lambda: self.of(topic, source), f"event of {topic}")[0]
        return event

    def wait_for_state(self, procedure_id: int, state: ProcedureState) -> ProcedureSummary:
        """Wait until a procedure is in a state.

        :raises AssertionError: if it ends in another one, or time passes
        """

        def ended() -> ProcedureSummary | None:
            summary = self.service.summary(procedure_id)
            return summary if summary.state is state or summary.state.is_final else None

        summary: ProcedureSummary = self.wait_for(ended, f"{procedure_id} {state}")
        assert summary.state is state, f"{summary.state} rather than {state}: {summary.history.stacktrace}"
        return summary

    def wait_for_end(self, procedure_id: int) -> ProcedureSummary:
        """Wait until a procedure is in a final state, whichever it is."""
        self.wait_for(lambda: self.service.summary(procedure_id).state.is_final, f"end of {procedure_id}")
        return self.service.summary(procedure_id)

    def states(self, procedure_id: int) -> list[str]:
        """Return the states that a procedure has passed through."""
        return [str(state) for state, _ in self.service.summary(procedure_id).history.process_states]

    def told_states(self, procedure_id: int) -> list[str]:
        """Return the states of a procedure, from events."""
        return [event["new_state"] for event in self.of("procedure.lifecycle.statechange", procedure_id)]

    def said(self, procedure_id: int) -> list[Any]:
        """Return what a script has announced up to now."""
        return [event["msg"] for event in self.of("user.script.announce", procedure_id)]

    def lines(self, procedure_id: int) -> list[str]:
        """Return all lines that a script has written and that are kept."""
        lines = self.service.output(procedure_id).read(0, 1_000_000)[1]
        # Coverage writes its data when a script ends: if the time for that is over, this is what follows.
        return list(itertools.takewhile(lambda line: not line.startswith(_MEASURING_INTERRUPTED), lines))

    # What is asked for

    def create(
        self, source: str | Path, init: ProcedureInput = _NO_ARGUMENTS, main: ProcedureInput | None = None
    ) -> int:
        """Prepare a script, embedded or in a file, and return its ID at once."""
        script: ExecutableScript
        if isinstance(source, Path):
            script = FileSystemScript(source.as_uri())
        else:
            script = EmbeddedStringScript(textwrap.dedent(source))
        return self.service.prepare(PrepareProcessCommand(script, init, main)).id

    def ready(self, source: str | Path, init: ProcedureInput = _NO_ARGUMENTS) -> int:
        """Prepare an embedded script, wait until it is READY, and return its ID."""
        procedure_id = self.create(source, init)
        self.wait_for_state(procedure_id, ProcedureState.READY)
        return procedure_id

    def start(self, procedure_id: int, arguments: ProcedureInput = _NO_ARGUMENTS) -> None:
        """Start a procedure that is READY."""
        self.service.start(StartProcessCommand(procedure_id, "main", arguments))

    def run(self, source: str | Path, arguments: ProcedureInput = _NO_ARGUMENTS) -> int:
        """Prepare an embedded script, start it when it is READY, and return its ID."""
        procedure_id = self.ready(source)
        self.start(procedure_id, arguments)
        return procedure_id

    def run_until_said(self, source: str | Path, what: Any = "up") -> int:
        """Run a script until it has announced something, and return its ID."""
        procedure_id = self.run(source)
        self.wait_for(lambda: what in self.said(procedure_id))
        return procedure_id

    def stop(self, procedure_id: int, abort: bool = False) -> StopOutcome:
        """Stop a procedure, and wait until that is done."""
        return self.service.request_stop(StopProcessCommand(procedure_id, abort)).result(PATIENCE)

    def failure_of(self, procedure_id: int) -> str:
        """Wait until a procedure has FAILED, and return why."""
        return self.wait_for_state(procedure_id, ProcedureState.FAILED).history.stacktrace or ""

    def assert_works(self) -> None:
        """Run a script, to show that scripts can be run."""
        procedure_id = self.run("def main():\n    print('works')\n")
        self.wait_for_state(procedure_id, ProcedureState.COMPLETE)
        lines = self.lines(procedure_id)
        assert lines == ["works"], lines


@contextmanager
def script_bench(state_directory: Path, **settings: Any) -> Iterator[ScriptBench]:
    """Have a service as long as the context lasts. See `ScriptBench` for the settings."""
    bench = ScriptBench(state_directory, **settings)
    try:
        yield bench
    finally:
        bench.close()
