"""Spans of commands and procedures, for traces."""

from collections.abc import Callable

from oet_devices.ska.request_log import Answered
from ska_oso_oet import traces
from ska_oso_oet.journal import Batch
from ska_oso_oet.model import ProcedureState, ProcedureSummary
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE

_FAILURES = frozenset({ProcedureState.FAILED, ProcedureState.UNKNOWN})


class Tracing:
    """Exports the spans of commands that change something, and of procedures.

    :param device: returns the name of the device
    """

    def __init__(self, device: Callable[[], str]) -> None:
        self._device = device

    def on_answer(self, request: Answered) -> None:
        """Export the span of a command that has been answered."""
        if not traces.is_on():
            return
        entered = request.context
        if not isinstance(entered, traces.Entered):  # it has no trace: On, for example, has no argument
            entered = traces.Entered(traces.TraceParent.root(), None)
        procedure = request.tags.get("procedure")
        traces.record(
            traces.Span(
                f"OETController.{request.name}",
                *entered,
                request.began,
                request.began + request.seconds,
                attributes={
                    "oet.device": self._device(),
                    "oet.answer": request.answer,
                    "oet.command": None if request.command_id is None else str(request.command_id),
                    "oet.procedure": procedure if isinstance(procedure, int) else None,
                },
                failure=request.answer if request.failed else None,
            )
        )

    def on_batch(self, batch: Batch) -> None:
        """Export the spans of procedures that have ended. Runs in the thread of the bus."""
        if not traces.is_on():
            return
        for document in batch.versions:
            if document.kind == PROCEDURE and document.value.state.is_final:
                traces.record(self._span(document.value))

    def _span(self, procedure: ProcedureSummary) -> traces.Span:
        by = procedure.requested_by
        parent = None if by is None else traces.TraceParent.read(by.traceparent)
        states = procedure.history.process_states
        return traces.Span(
            "procedure",
            traces.TraceParent.root() if parent is None else traces.of_procedure(parent, procedure.id),
            parent,
            procedure.created,
            states[-1][1],
            traces.SpanKind.INTERNAL,
            {
                "oet.device": self._device(),
                "oet.procedure": procedure.id,
                "oet.script": procedure.script.uri or "embedded script",
                "oet.state": str(procedure.state),
                "oet.subarray": procedure.subarray_id,
                "oet.queue_entry": procedure.queue_entry,
            },
            [(str(state), when) for state, when in states],
            (procedure.failure_line or str(procedure.state)) if procedure.state in _FAILURES else None,
        )
