"""Launcher: prepares, starts, stops and discards the scripts and activities of entries."""

import logging
import time
from contextlib import suppress
from dataclasses import replace

from ska_oso_oet.activity.application import ActivityService
from ska_oso_oet.activity.domain import ActivityNotFoundError
from ska_oso_oet.activity.ui import to_activity_command
from ska_oso_oet.model import ActivitySummary, ProcedureInput, ProcedureSummary, QueueEntry, Requester
from ska_oso_oet.procedure.application import (
    Hold,
    Origin,
    ScriptExecutionService,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import ProcedureNotFoundError, StateForbidsError
from ska_oso_oet.procedure.ui import to_prepare_command

from .ledger import SOURCE

LOGGER = logging.getLogger(__name__)


class Launcher:
    """Calls the services that run scripts and activities. Its methods may wait for the journal.

    :param scripts: runs the scripts
    :param activities: runs the activities
    """

    def __init__(self, scripts: ScriptExecutionService, activities: ActivityService) -> None:
        self._scripts = scripts
        self._activities = activities

    @property
    def is_free(self) -> bool:
        """Whether no procedure runs, or has reserved that it will."""
        return self._scripts.manager.running is None

    def procedure(self, entry: QueueEntry) -> ProcedureSummary | None:
        """Return the procedure of an entry, None if there is none, or it is no longer kept."""
        if entry.procedure_id is not None:
            with suppress(ProcedureNotFoundError):
                return self._scripts.summary(entry.procedure_id)
        return None

    def activity(self, entry: QueueEntry) -> ActivitySummary | None:
        """Return the activity of an entry, None if there is none, or it is no longer kept."""
        if entry.activity_id is not None:
            with suppress(ActivityNotFoundError):
                return self._activities.summary(entry.activity_id)
        return None

    def prepare(self, entry: QueueEntry, hold: Hold) -> dict[str, int]:
        """Prepare the script of an entry.

        :param entry: the entry
        :param hold: the steps that wait until `start` releases it
        :returns: the ID of its procedure or activity, as a field of the entry
        :raises OetError, ValueError, OSError, RuntimeError: if that is not possible
        """
        origin = Origin(SOURCE, time.time(), requested_by=entry.added_by, queue_entry=entry.id)
        request = entry.request
        if request.procedure is not None:
            prepare = replace(to_prepare_command(request.procedure), hold=hold)
            return {"procedure_id": self._scripts.prepare(prepare, origin).id}
        assert request.activity is not None, "a request is for one of the two"  # noqa: S101
        # The queue starts its script, after procedures of clients have ended.
        run = replace(to_activity_command(request.activity), prepare_only=True, hold=hold)
        return {"activity_id": self._activities.prepare_run_activity(run, origin=origin).id}

    def is_outdated(self, entry: QueueEntry, procedure: ProcedureSummary) -> bool:
        """Return whether the script, or the Scheduling Block, has changed since an entry was prepared.

        :param entry: the entry
        :param procedure: its procedure
        """
        if self._scripts.has_changed(procedure):
            return True
        activity = entry.request.activity
        if activity is None or entry.activity_id is None:
            return False
        return self._activities.is_outdated(entry.activity_id, to_activity_command(activity))

    def start(self, procedure: ProcedureSummary, *, release: bool) -> None:
        """Call ``main``, with the arguments that the procedure was prepared with.

        :param procedure: the procedure
        :param release: whether it is held: its ``init`` is called before, if it has not been yet
        :raises StateForbidsError: if another procedure runs, or this one's state forbids it
        :raises ProcedureNotFoundError: if it has ended
        :raises OetError, RuntimeError: if it cannot be started
        """
        origin = Origin(SOURCE, time.time(), queue_entry=procedure.queue_entry)
        cmd = StartProcessCommand(
            procedure.id, "main", ProcedureInput(), force_start=release, release=release
        )
        self._scripts.start(cmd, origin)

    def stop(self, entry: QueueEntry, by: Requester | None = None, reason: str | None = None) -> None:
        """Begin to stop the procedure or activity of an entry.

        :param entry: the entry
        :param by: the requester
        :param reason: why, if no client has asked for that
        """
        if entry.activity_id is not None:
            with suppress(ActivityNotFoundError):
                self._activities.request_stop(entry.activity_id, by, reason)
        elif entry.procedure_id is not None:
            cmd = StopProcessCommand(entry.procedure_id, run_abort=False, reason=reason)
            with suppress(StateForbidsError, ProcedureNotFoundError):
                self._scripts.request_stop(cmd, Origin(SOURCE, requested_by=by))
