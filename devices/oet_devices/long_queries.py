"""ExamineScript and FindSchedulingBlocks: queries whose answers take longer than a Tango command may."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.command_record import JsonText
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.replies import Reply, accepted
from ska_oso_oet.model import SchedulingBlockQuery

from .arguments import parse, parse_create
from .command_taker import CommandTaker
from .executor import Executor
from .json_text import ascii_json


class LongQueries:
    """Long-running commands that end with the answer to a query, and change nothing.

    :param taker: takes them
    """

    def __init__(self, taker: CommandTaker) -> None:
        self._taker = taker

    def examine(self, argin: str) -> Reply:
        """Carry out ExamineScript."""
        return self._take(
            "ExamineScript", lambda executor: executor.service.examine(parse_create(argin).script)
        )

    def find_blocks(self, argin: str) -> Reply:
        """Carry out FindSchedulingBlocks."""
        return self._take(
            "FindSchedulingBlocks",
            lambda executor: executor.activities.search.begin(parse(SchedulingBlockQuery, argin)),
        )

    def _take(self, name: str, begin: Callable[[Executor], "Future[str]"]) -> Reply:
        """Take a command.

        :param name: its name
        :param begin: begins the query, which gets its answer as JSON
        """

        def carry_out(executor: Executor) -> Reply:
            commands = self._taker.commands
            commands.tracker.require_room(name)
            query = begin(executor)
            handle = commands.tracker.begin(name, commands.ids.new(name), on_abort=lambda: _cancel(query))
            handle.started()
            query.add_done_callback(lambda done: _report(handle, done))
            return accepted(handle, ResultCode.STARTED)

        return self._taker.take(name, carry_out)


def _cancel(query: "Future[str]") -> None:
    query.cancel()


def _report(handle: CommandHandle, done: "Future[str]") -> None:
    try:
        handle.completed(JsonText(ascii_json(done.result())))
    except CancelledError:
        handle.aborted()
    except Exception as error:  # any exception is reported to the client
        handle.failed(error)
