"""Publication of changes of an executor: as change events, and to the commands that follow it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oet_devices.ska.publisher import EventPublisher
from oet_devices.ska.texts import tango_text
from ska_oso_oet.activity.application.register import KIND as ACTIVITY
from ska_oso_oet.journal import Batch, JournalEvent
from ska_oso_oet.procedure.application.questions import QUESTION_KIND
from ska_oso_oet.procedure.application.recorder import KIND as PROCEDURE
from ska_oso_oet.procedure.execution.checkpoints import PASSED_TOPIC
from ska_oso_oet.queue import CONDITION_KIND, ENTRY_KIND

from .activities import Activities
from .command_followers import CommandFollowers, run_activity_ends, start_ends
from .event_log import EventLog
from .events import Events
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .figures import Figures
from .json_text import ascii_json
from .notifications import Notifications
from .observing_queue import ObservingQueue, label_of
from .operator_commands import OperatorCommands, ScriptContext
from .procedures import Procedures, Scripts, state_label
from .records import Records
from .status_line import StatusLine, summary_of
from .tracing import Tracing

_PROGRESS_TOPIC = "user.script.progress"

_OF_QUEUE = frozenset({CONDITION_KIND, ENTRY_KIND})

_LISTED_WITHIN = 1.0
"""Seconds that a new executor may take to list the scripts; if it takes longer, they are published later."""


@dataclass(frozen=True)
class Shown:
    """Sources of the attributes of a controller.

    :param status_line: the live procedures and the last one
    :param events: the newest event
    :param scripts: the scripts that can be run
    :param procedures: the procedures
    :param records: the records of procedures
    :param activities: the activities
    :param queue: the observing queue
    :param operator: the question that waits for an answer
    :param context: the context of all scripts
    """

    status_line: StatusLine
    events: Events
    scripts: Scripts
    procedures: Procedures
    records: Records
    activities: Activities
    queue: ObservingQueue
    operator: OperatorCommands
    context: ScriptContext


class Publishing:
    """Publishes changes of an executor. Its functions are called by threads of the executor.

    :param publisher: pushes change events
    :param announce_status: called when the text of Status has changed
    :param keeper: keeps the executor
    :param shown: sources of the attributes
    :param procedure_followers: commands that follow procedures
    :param activity_followers: commands that follow activities
    :param notifications: notifies people
    :param event_log: logs changes
    :param figures: counts changes
    :param tracing: exports spans
    """

    def __init__(
        self,
        publisher: EventPublisher,
        announce_status: Callable[[], None],
        keeper: ExecutorKeeper,
        shown: Shown,
        procedure_followers: CommandFollowers,
        activity_followers: CommandFollowers,
        notifications: Notifications,
        event_log: EventLog,
        figures: Figures,
        tracing: Tracing,
    ) -> None:
        self._publisher = publisher
        self._announce_status = announce_status
        self._keeper = keeper
        self._shown = shown
        self._procedure_followers = procedure_followers
        self._activity_followers = activity_followers
        self._notifications = notifications
        self._event_log = event_log
        self._figures = figures
        self._tracing = tracing
        self._current = 0  # the current procedure, as published last

    def on_executor(self, executor: Executor) -> None:
        """Publish the state of a new executor."""
        self._shown.status_line.clear()
        self._show_all(executor)
        self._shown.events.on_executor(executor)
        self._publisher.submit("lastEventId", self._shown.events.newest.seq)
        self._publisher.submit("subarrayId", self._keeper.subarray_id)
        executor.scripts.wait(_LISTED_WITHIN)
        self.on_scripts()
        self._publish_procedures()
        self._publish_activities()
        self._publisher.submit("queueState", self._shown.queue.state())
        self._publish_queue()
        self._shown.context.on_executor(executor)
        self._publisher.submit("scriptContext", self._shown.context.text())
        self._publisher.submit("question", self._shown.operator.question())
        self._publisher.submit("progress", self._shown.status_line.progress())

    def on_recall(self, executor: Executor) -> None:
        """Publish the state that the executor has read late. Runs in a thread of the journal."""
        self._show_all(executor)
        self._publish_procedures()
        self._publish_activities()
        self._publish_queue()

    def on_batch(self, batch: Batch) -> None:
        """Publish committed changes. Runs in the thread of the bus, so it does not wait."""
        progress = [
            news
            for event, fields in zip(batch.events, batch.fields, strict=True)
            if (news := self._note_progress(event, fields)) is not None
        ]
        # Most batches are an event of a script, and nothing else.
        kinds = {document.kind for document in batch.documents}
        # Before the events: a client that reads an attribute after an event gets no older value.
        if PROCEDURE in kinds:
            self._show_versions(batch)
        if not kinds.isdisjoint(_OF_QUEUE):
            self._on_queue(batch)
        if is_asked := QUESTION_KIND in kinds:
            self._publisher.submit("question", self._shown.operator.question())
        has_passed = self._note_checkpoints(batch)
        if batch.events:
            self._shown.events.on_batch(batch)
            self._publisher.submit_all([("events", ascii_json(event.text)) for event in batch.events])
            self._publisher.submit_latest("lastEventId", batch.events[-1].seq)
        for procedure_id, percent in progress:
            self._report_progress(procedure_id, percent)
        if PROCEDURE in kinds:
            _report(batch, PROCEDURE, self._procedure_followers)
            self._publisher.submit_latest("procedures", self._shown.procedures.summaries)
        self._announce(bool(PROCEDURE in kinds or progress), is_asked or has_passed)
        if ACTIVITY in kinds:
            _report(batch, ACTIVITY, self._activity_followers)
            self._publish_activities()
        self._notifications.on_batch(batch)
        self._event_log.on_batch(batch)
        self._figures.on_batch(batch)
        self._tracing.on_batch(batch)

    def on_output(self, procedure_id: int) -> None:
        """Publish the last lines of the current procedure's output, as often as possible."""
        current = self._shown.status_line.current
        if current is None or current.id == procedure_id:
            self._publish_output()

    def on_scripts(self) -> None:
        """Publish the scripts that can be run."""
        self._publisher.submit_latest("scripts", self._shown.scripts.uris)

    def _show_all(self, executor: Executor) -> None:
        for document in executor.service.view.all():
            self._shown.status_line.show(document)

    def _publish_procedures(self) -> None:
        self._publisher.submit_latest("procedures", self._shown.procedures.summaries)
        self._publish_states()
        self._publish_output()

    def _publish_output(self) -> None:
        self._publisher.submit_latest("scriptOutput", self._shown.procedures.output_tail)
        self._publisher.submit_latest("lastOutputLine", self._shown.procedures.last_output_line)

    def _show_versions(self, batch: Batch) -> None:
        """Show all versions of the documents of procedures, and publish each state that follows."""
        for document in batch.versions:
            if document.kind == PROCEDURE:
                self._shown.status_line.show(document)
                if self._publish_states():
                    self._publish_output()

    def _publish_states(self) -> bool:
        """Publish the attributes whose changes must all be sent.

        :returns: whether the current procedure is another one than before
        """
        now = self._shown.status_line.now()
        self._publisher.submit_all(
            (
                ("lastProcedure", now.last),
                ("runningProcedure", now.running),
                ("procedureState", state_label(now.current)),
                ("procedureSummary", tango_text(summary_of(now.current))),
            )
        )
        before, self._current = self._current, 0 if now.current is None else now.current.id
        return self._current != before

    def _publish_activities(self) -> None:
        self._publisher.submit_latest("activities", self._shown.activities.summaries)

    def _on_queue(self, batch: Batch) -> None:
        """Publish committed changes of the queue."""
        states = [each.value.state for each in batch.versions if each.kind == CONDITION_KIND]
        if states:
            self._publisher.submit_all([("queueState", label_of(state)) for state in states])
        self._publish_queue()

    def _announce(self, has_progressed: bool, has_news: bool) -> None:
        """Publish the progress and Status, if they have changed."""
        if has_progressed:
            self._publisher.submit_latest("progress", self._shown.status_line.progress)
        if has_progressed or has_news:
            self._announce_status()

    def _publish_queue(self) -> None:
        self._publisher.submit_latest("queue", self._shown.queue.text)
        self._publisher.submit_latest("queueLength", self._shown.queue.length)

    def _note_progress(self, event: JournalEvent, fields: Mapping[str, Any]) -> tuple[int, int] | None:
        """Note a script's progress. Returns procedure and percentage, None if it has not changed."""
        if event.topic != _PROGRESS_TOPIC:
            return None
        try:
            procedure_id, percent = int(fields["msg_src"]), round(float(fields["progress"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None  # a script may publish any value: this is not the progress of a procedure
        percent = min(max(percent, 0), 100)
        step = None if fields.get("msg") is None else str(fields["msg"])
        is_news = self._shown.status_line.show_progress(procedure_id, percent, step)
        return (procedure_id, percent) if is_news else None

    def _note_checkpoints(self, batch: Batch) -> bool:
        """Note the checkpoints that scripts have passed. Returns whether Status has changed."""
        passed = [
            self._shown.status_line.show_checkpoint(int(fields["msg_src"]), fields["checkpoint"])
            for event, fields in zip(batch.events, batch.fields, strict=True)
            if event.topic == PASSED_TOPIC
        ]
        return any(passed)

    def _report_progress(self, procedure_id: int, percent: int) -> None:
        """Report the progress of a script to the commands that have started it, or its activity."""
        self._procedure_followers.on_progress(procedure_id, percent, of=start_ends)
        executor = self._keeper.executor
        activity_id = executor.activities.activity_of(procedure_id) if executor is not None else None
        if activity_id is not None:
            self._activity_followers.on_progress(activity_id, percent, of=run_activity_ends)


def _report(batch: Batch, kind: str, followers: CommandFollowers) -> None:
    """Report the new documents of a kind to the commands that follow their subjects."""
    for document in batch.documents:
        if document.kind == kind:
            followers.on_document(document)
