"""Activities: the attribute and queries about them, and the command that runs one."""

from contextlib import suppress

from oet_devices.ska.replies import Reply
from ska_oso_oet.activity.domain import ActivityNotFoundError
from ska_oso_oet.activity.ui import to_activity_command
from ska_oso_oet.model import ActivityRequest, Requester

from .arguments import parse
from .command_followers import CommandFollowers, prepare_only_ends, run_activity_ends
from .command_taker import CommandTaker, follow
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json, json_list


class Activities:
    """The activities of a controller.

    :param keeper: keeps the executor that runs them
    :param taker: takes RunActivity
    :param followers: the commands that follow activities
    """

    def __init__(self, keeper: ExecutorKeeper, taker: CommandTaker, followers: CommandFollowers) -> None:
        self._keeper = keeper
        self._taker = taker
        self._followers = followers

    def summaries(self) -> str:
        """Return the summaries of all activities that are listed, as a JSON list.

        :raises tango.DevFailed: if they are not known because of a fault
        """
        executor = self._keeper.for_reading()
        documents = executor.activities.view.all() if executor is not None else []
        return json_list(document.text for document in documents)

    def describe(self, argin: int) -> str:
        """Answer DescribeActivity."""

        def describe(executor: Executor) -> str:
            activity_id = argin or executor.activities.view.last_id()
            if activity_id == 0:
                raise ActivityNotFoundError("no activity has been requested yet")
            document = executor.activities.view.get(activity_id)
            if document is None:
                raise ActivityNotFoundError(f"No information available for ID={activity_id}")
            return ascii_json(document.text)

        return self._keeper.answer("DescribeActivity", describe)

    def run(self, argin: str) -> Reply:
        """Carry out RunActivity."""

        def run(executor: Executor) -> Reply:
            request = parse(ActivityRequest, argin)
            tracker = self._taker.commands.tracker
            tracker.require_room("RunActivity")
            with self._followers.expecting() as missed:
                summary = executor.activities.prepare_run_activity(
                    to_activity_command(request),
                    origin=self._taker.origin("RunActivity", request.requested_by),
                )
                self._taker.log.about(activity=summary.id)
                handle = tracker.begin(
                    "RunActivity",
                    str(summary.command_id),
                    on_abort=lambda: _stop(executor, summary.id, self._taker.client()),
                    pointer=f"See DescribeActivity({summary.id}).",
                )
                ends = prepare_only_ends if summary.prepare_only else run_activity_ends
                return follow(handle, self._followers, summary.id, ends, missed)

        return self._taker.take("RunActivity", run)


def _stop(executor: Executor, activity_id: int, by: Requester | None) -> None:
    with suppress(ActivityNotFoundError):  # it may have ended by itself, and its command with it
        executor.activities.request_stop(activity_id, by)
