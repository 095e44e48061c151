"""Common checks and records of the commands of a controller that change something."""

import time
from collections.abc import Callable

from tango import DevState

from oet_devices.ska.clients import TangoClient
from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import TooManyCommandsError
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.long_running_commands import LongRunningCommands
from oet_devices.ska.operation import Operation
from oet_devices.ska.operation_commands import not_allowed
from oet_devices.ska.replies import Reply, accepted, refused
from oet_devices.ska.request_log import RequestLog
from ska_oso_oet import traces
from ska_oso_oet.model import Requester
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.domain import StateForbidsError

from .arguments import REFUSALS, refuse
from .command_followers import CommandFollowers, EndRule, Missed
from .executor import Executor
from .executor_keeper import ExecutorKeeper

SOURCE = "OETController"
"""Source of the events of requests."""

ACCEPTED = "STARTED and the ID of the long-running command, or REJECTED and the reason"


class CommandTaker:
    """Accepts commands, or refuses them because of the state of the controller.

    :param keeper: keeps the executor that carries them out
    :param operation: has the state of the controller
    :param commands: the long-running commands of the controller
    :param client: returns the program whose command is being handled, None if it is not known
    :param log: log of the requests
    """

    def __init__(
        self,
        keeper: ExecutorKeeper,
        operation: Operation,
        commands: LongRunningCommands,
        client: Callable[[], TangoClient | None],
        log: RequestLog,
    ) -> None:
        self._keeper = keeper
        self._operation = operation
        self.commands = commands
        self._client = client
        self.log = log

    def client(self) -> Requester | None:
        """Return the program whose command is being handled, None if it is not known."""
        client = self._client()
        return None if client is None else Requester(client=client.program, host=client.host)

    def requester(self, given: Requester | None) -> Requester | None:
        """Return the requester of the present request.

        :param given: the requester, as the request says; None if it does not
        """
        client = self.client()
        announced = self.log.announced
        if given is not None:
            requester: Requester | None = given.as_seen_by(client)
        else:
            requester = announced if isinstance(announced, Requester) else client
        self.log.about(by=requester, user=None if requester is None else requester.user)
        entered = traces.enter(None if given is None else traces.TraceParent.read(given.traceparent))
        if requester is None:
            return None
        # An invalid requester is not recorded.
        trace = None if entered is None else str(entered.place)
        self.log.about(context=entered, trace=trace)
        return requester.model_copy(update={"traceparent": trace})

    def take(self, name: str, carry_out: Callable[[Executor], Reply]) -> Reply:
        """Accept a command, refuse it because of the state, or raise an error about its argument.

        :param name: name of the command
        :param carry_out: begins it
        :raises tango.DevFailed: if the argument is not valid
        """
        state = self._operation.state
        if state != DevState.ON and not (name == "Stop" and self._keeper.executor is not None):
            return not_allowed(name, state)
        try:
            return carry_out(self._keeper.require())
        except (StateForbidsError, TooManyCommandsError) as error:
            return refused(str(error))
        except REFUSALS as error:
            refuse(error, name)

    def origin(self, name: str, given: Requester | None) -> Origin:
        """Return the origin of the request of a command.

        :param name: name of the command
        :param given: the requester, as the request says; None if it does not
        """
        return Origin(
            SOURCE,
            time.time(),
            lambda number: self.commands.ids.new(name, number),
            requested_by=self.requester(given),
        )


def follow(
    handle: CommandHandle,
    followers: CommandFollowers,
    document_id: int,
    ends: EndRule,
    missed: Missed,
) -> Reply:
    """End a long-running command when a summary says so.

    :param handle: the command
    :param followers: the commands that follow subjects of this kind
    :param document_id: ID of the subject of the command
    :param ends: how the command ends
    :param missed: the news since before the request was granted
    :returns: the answer of the Tango command
    """
    handle.started()
    followers.follow(document_id, ends, handle, missed)
    return accepted(handle, ResultCode.STARTED)
