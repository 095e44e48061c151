"""Observer that records changes of procedures, and can wait for them."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tests.support.patience import wait_until

from ska_oso_oet.model import Question
from ska_oso_oet.procedure.domain import ExecutableScript, ProcedureInput, ProcedureState


class Witness:
    """Observer of a manager. Scripts send it their process ID, as ``pid`` of any event."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._in_main: set[int] = set()
        self.states: dict[int, list[str]] = defaultdict(list)
        self.pids: dict[int, int] = {}
        self.complaints: list[str] = []
        """What must never be, whatever is done."""

    def created(
        self,
        procedure_id: int,
        script: ExecutableScript,
        waiting: Mapping[str, ProcedureInput],
        origin: Any,
    ) -> None:
        """See `ProcedureObserver`."""

    def requested(self, procedure_id: int, origin: Any) -> None:
        """See `ProcedureObserver`."""

    def output_written(self, procedure_id: int) -> None:
        """See `ProcedureObserver`."""

    def state_changed(self, procedure_id: int, state: ProcedureState, stacktrace: str | None) -> None:
        """Note a state."""
        with self._changed:
            self._must_be_live(procedure_id, f"is {state}")
            self.states[procedure_id].append(str(state))
            if state.is_final:
                self._in_main.discard(procedure_id)
            self._changed.notify_all()

    def function_called(self, procedure_id: int, function: str, arguments: ProcedureInput) -> None:
        """Note who runs ``main``."""
        if function == "main":
            if self._in_main:
                self.complaints.append(f"{procedure_id} runs main beside {self._in_main}")
            self._in_main.add(procedure_id)

    def noted(self, procedure_id: int, facts: Mapping[str, Any]) -> None:
        """See `ProcedureObserver`."""

    def announced(
        self, procedure_id: int, facts: Mapping[str, Any], topic: str, fields: Mapping[str, Any]
    ) -> None:
        """See `ProcedureObserver`."""

    def question_changed(self, question: Question) -> None:
        """See `ProcedureObserver`."""

    def published(self, procedure_id: int, topic: str, msg_src: str, fields: dict[str, Any]) -> None:
        """Note in which process a script runs."""
        with self._changed:
            self._must_be_live(procedure_id, "publishes")
            self.pids[procedure_id] = fields["pid"]
            self._changed.notify_all()

    def idle(self) -> None:
        """See `ProcedureObserver`."""

    def congestion(self) -> None:
        """See `ProcedureObserver`."""

    def together(self) -> AbstractContextManager[object]:
        """See `ProcedureObserver`."""
        return nullcontext()

    def committed(self) -> None:
        """See `ProcedureObserver`."""

    def health_changed(self) -> None:
        """Look again: what is waited for may have to do with standby workers."""
        with self._changed:
            self._changed.notify_all()

    def _must_be_live(self, procedure_id: int, what: str) -> None:
        if any(ProcedureState(state).is_final for state in self.states[procedure_id]):
            self.complaints.append(f"{procedure_id} {what} after its end")

    def seen(self) -> dict[int, list[str]]:
        """Return the states of all procedures up to now."""
        with self._changed:
            return {procedure_id: list(states) for procedure_id, states in self.states.items()}

    def wait_until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait until a condition holds.

        :raises AssertionError: if it does not in time
        """
        wait_until(condition, what, self._changed, lambda: (self.states, self.pids))
