"""A script execution service whose events a test can wait for.

As a program, ``python -m tests.support.script_service <state directory> <script model as JSON>``: prepares
one script, prints its events, and serves until it is killed.
"""

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE, wait_until

from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Batch, MemoryJournal
from ska_oso_oet.model import script_from_json
from ska_oso_oet.mptools import forkserver, posix
from ska_oso_oet.procedure.application import (
    Origin,
    PrepareProcessCommand,
    ProcedureSummary,
    ScriptExecutionService,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import ExecutableScript, ExecutorSettings, ProcedureInput
from ska_oso_oet.procedure.domain.repositories import Repositories


class ServiceUnderTest:
    """A service, and the events that it has published.

    :param state: its state directory
    :param settings: further settings of script execution
    """

    def __init__(self, state: Path, **settings: Any) -> None:
        self._changed = threading.Condition()
        self._events: list[dict[str, Any]] = []
        self._bus = EventBus(MemoryJournal(10_000))
        self._bus.subscribe(self._note)
        self.service = ScriptExecutionService(
            bus=self._bus,
            settings=ExecutorSettings(state, preload=(), **settings),
            repositories=Repositories.of(["file:///*", "http://127.0.0.1/*", "http://127.0.0.1:*/*"]),
        )

    def _note(self, batch: Batch) -> None:
        with self._changed:
            self._events += [json.loads(event.text) for event in batch.events]
            self._changed.notify_all()

    def create(self, script: ExecutableScript) -> int:
        """Create a procedure and return its ID."""
        return self.service.prepare(PrepareProcessCommand(script, ProcedureInput())).id

    def start(self, procedure_id: int) -> None:
        """Start a procedure as soon as it is READY."""
        command = StartProcessCommand(procedure_id, "main", ProcedureInput(), force_start=True)
        self.service.start(command, Origin())

    def stop(self, procedure_id: int) -> ProcedureSummary:
        """Stop a procedure and return its summary."""
        return self.service.stop(StopProcessCommand(procedure_id, run_abort=False))[0]

    def run(self, script: ExecutableScript) -> ProcedureSummary:
        """Create and start a procedure, and return its summary when it has ended."""
        procedure_id = self.create(script)
        self.start(procedure_id)
        return self.ended(procedure_id)

    def ended(self, procedure_id: int) -> ProcedureSummary:
        """Return the summary of a procedure, when it has ended."""
        self.service.view.ended(procedure_id).result(PATIENCE)
        return self.service.summary(procedure_id)

    def output(self, procedure_id: int) -> str:
        """Return the output of a procedure."""
        return "\n".join(self.service.output(procedure_id).tail())

    def progress(self, procedure_id: int) -> list[str]:
        """Return how far the preparation of a procedure has come, step by step."""
        return [event["msg"] for event in self.events("procedure.environment.progress", procedure_id)]

    def events(self, topic: str, procedure_id: int) -> list[dict[str, Any]]:
        """Return the events of one procedure on one topic."""
        with self._changed:
            known = list(self._events)
        return [event for event in known if (event["topic"], event["msg_src"]) == (topic, str(procedure_id))]

    def wait_until(self, condition: Callable[[], Any]) -> None:
        """Wait until a condition holds, which is looked at whenever there is an event.

        :raises AssertionError: if it does not in time
        """
        wait_until(condition, "events", self._changed, lambda: self._events)

    def wait_for_state(self, procedure_id: int, state: str) -> None:
        """Wait until a procedure has been in a state."""
        topic = "procedure.lifecycle.statechange"
        self.wait_until(lambda: state in [event["new_state"] for event in self.events(topic, procedure_id)])

    def wait_for_progress(self, procedure_id: int, text: str) -> None:
        """Wait until the preparation of a procedure has come to a step."""
        self.wait_until(lambda: any(text in step for step in self.progress(procedure_id)))

    def close(self) -> None:
        """End the service."""
        self.service.shutdown()
        self._bus.close()


@contextmanager
def script_service(state: Path, **settings: Any) -> Iterator[ServiceUnderTest]:
    """Have a service as long as the context lasts; then no process of it may be left.

    :param state: its state directory
    :param settings: further settings of script execution
    """
    guardian = forkserver.guardian_pid()
    service = ServiceUnderTest(state, **settings)
    try:
        if settings.get("standby_workers") != 0 and (guardian is None or posix.is_gone(guardian)):
            # A service that ends does not wait as long as the start of the first process may take.
            wait_until(lambda: service.service.manager.standby_workers, "a worker on standby")
        yield service
    finally:
        service.close()
    guardian = forkserver.guardian_pid()
    assert guardian is not None
    left = posix.descendants(guardian)
    assert not left, f"processes that are left: {left}"


def _main(state: str, script: str) -> None:
    service = ServiceUnderTest(Path(state), standby_workers=0)
    procedure_id = service.create(script_from_json(json.loads(script)))
    service.wait_for_progress(procedure_id, "Installing")
    print("building", flush=True)
    signal.pause()


if __name__ == "__main__":
    _main(*sys.argv[1:])
