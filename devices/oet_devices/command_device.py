"""The part of the controller that takes commands: what they have in common."""

import time
from collections.abc import Callable

from tango import DevState

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import TooManyCommandsError
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.replies import Reply, accepted, refused
from ska_oso_oet.event.view import DocumentView
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.domain import StateForbids

from .arguments import REFUSALS, refuse
from .document_commands import Aim, DocumentCommands
from .executor import Executor
from .procedure_device import ProcedureDevice

SOURCE = "OETController"
"""Source of the events of requests."""

ACCEPTED = "STARTED and the ID of the long-running command, or REJECTED and the reason"


class CommandDevice(ProcedureDevice):
    """A device with commands that are taken at once, and end when documents say so."""

    def take(self, name: str, carry_out: Callable[[Executor], Reply]) -> Reply:
        """Take a command, refuse it as its state demands, or raise what is wrong with its argument.

        :param name: name of the command
        :param carry_out: begins it
        :raises tango.DevFailed: if the argument is not valid
        """
        if self._state != DevState.ON and not (name == "Stop" and self._executor is not None):
            return self._not_allowed(name)
        try:
            return carry_out(self.require_executor())
        except (StateForbids, TooManyCommandsError) as error:
            return refused(str(error))
        except REFUSALS as error:
            refuse(error, name)

    def origin(self, name: str) -> Origin:
        """Return the origin of what a command creates.

        :param name: name of the command
        """
        return Origin(SOURCE, time.time(), lambda number: self.command_ids.new(name, number))

    def follow(
        self,
        handle: CommandHandle,
        commands: DocumentCommands,
        document_id: int,
        aim: Aim,
        view: DocumentView,
    ) -> Reply:
        """Have a long-running command end when a document says that it has come as far as it aims.

        :param handle: the command
        :param commands: commands that are about things of this kind
        :param document_id: what the command is about
        :param aim: what it is to achieve
        :param view: where the document is
        :returns: what the Tango command is to answer
        """
        handle.started()
        commands.follow(document_id, aim, handle, view)
        return accepted(handle, ResultCode.STARTED)
