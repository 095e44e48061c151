"""The part of the controller that runs activities of Scheduling Blocks, and shows them."""

from contextlib import suppress

from tango.server import attribute, command

from oet_devices.ska.replies import Reply
from ska_oso_oet.activity.application.summary import KIND
from ska_oso_oet.activity.domain import ActivityNotFound
from ska_oso_oet.activity.ui import to_activity_command
from ska_oso_oet.event.bus import Batch
from ska_oso_oet.model import ActivityRequest

from .aims import activity_complete, activity_prepared
from .arguments import parse
from .command_device import ACCEPTED, CommandDevice
from .document_commands import DocumentCommands
from .executor import Executor
from .json_text import ascii_json


class ActivityDevice(CommandDevice):
    """A device that runs activities of Scheduling Blocks."""

    def init_device(self) -> None:
        """Show nothing, until there is an executor."""
        if "_activity_commands" not in self.__dict__:
            self._activity_commands = DocumentCommands()
        super().init_device()

    def on_executor(self, executor: Executor) -> None:
        """Show what the executor remembers."""
        super().on_executor(executor)
        self.publisher.submit_latest("activities", self._activities_json)

    def on_recall(self) -> None:
        """Show what the executor remembers only now. Runs in a thread of the journal."""
        super().on_recall()
        self.publisher.submit_latest("activities", self._activities_json)

    def on_batch(self, batch: Batch) -> None:
        """Announce what has been committed. Runs in the thread of the bus, so it only leaves notes."""
        super().on_batch(batch)
        activities = [document for document in batch.documents if document.kind == KIND]
        for document in activities:
            self._activity_commands.on_document(document)
        if activities:
            self.publisher.submit_latest("activities", self._activities_json)

    def on_progress(self, procedure_id: int, percent: int) -> None:
        """Report the progress of a script to the activity that it belongs to, too."""
        super().on_progress(procedure_id, percent)
        activity_id = self._executor.activities.activity_of(procedure_id) if self._executor else None
        if activity_id is not None:
            self._activity_commands.on_progress(activity_id, percent, of=activity_complete)

    def _activities_json(self) -> str:
        documents = self._executor.activities.view.all() if self._executor is not None else []
        return ascii_json(f"[{','.join(document.text for document in documents)}]")

    @attribute(dtype="DevString", label="Activities")
    def activities(self) -> str:
        """JSON list of summaries: all activities that are live, and the newest that have ended."""
        return self._activities_json()

    @command(
        dtype_in="DevString",
        doc_in='JSON: {"activity_name": "observe", "sbd_id": "sbd-123"}, or instead of sbd_id '
        '"sbd_uri": "file:///sb.json" or "oda://sbd-123/1"; and optionally '
        '"script_args": {"init": {"kwargs": {"subarray_id": 1}}}, which override those of the Scheduling '
        'Block one by one, "prepare_only": true, "create_env": true',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def RunActivity(self, argin: str) -> Reply:
        """Run an activity of a Scheduling Block. Ends when its script has ended, or is READY if only that."""

        def run(executor: Executor) -> Reply:
            request = to_activity_command(parse(ActivityRequest, argin))
            self.commands.require_room("RunActivity")
            summary = executor.activities.prepare_run_activity(request, self.origin("RunActivity"))
            handle = self.commands.begin(
                "RunActivity",
                str(summary.command_id),
                on_abort=lambda: _stop(executor, summary.id),
                pointer=f"See DescribeActivity({summary.id}).",
            )
            aim = activity_prepared if summary.prepare_only else activity_complete
            return self.follow(handle, self._activity_commands, summary.id, aim, executor.activities.view)

        return self.take("RunActivity", run)

    @command(
        dtype_in="DevLong",
        doc_in="ID of an activity, 0 for the last one requested",
        dtype_out="DevString",
        doc_out="Its summary as JSON: Scheduling Block, procedure, arguments, states and times, reason",
    )
    def DescribeActivity(self, argin: int) -> str:
        """Describe an activity, also one that is no longer listed."""

        def describe(executor: Executor) -> str:
            activity_id = argin or executor.activities.view.last_id()
            if activity_id == 0:
                raise ActivityNotFound("no activity has been requested yet")
            document = executor.activities.view.get(activity_id)
            if document is None:
                raise ActivityNotFound(f"No information available for ID={activity_id}")
            return ascii_json(document.text)

        return self.answer("DescribeActivity", describe)


def _stop(executor: Executor, activity_id: int) -> None:
    with suppress(ActivityNotFound):  # it may have ended by itself, and its command with it
        executor.activities.request_stop(activity_id)
