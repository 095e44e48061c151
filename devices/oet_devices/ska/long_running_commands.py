"""The long-running commands of a device: their begin by Tango commands, and queries about them."""

import logging
from collections.abc import Callable

from .command_handle import CommandHandle
from .command_ids import CommandIds
from .commands import CommandTracker, Sink, TooManyCommandsError
from .enums import ResultCode
from .lrc_attributes import LrcAttribute
from .replies import Reply, accepted, refused

LOGGER = logging.getLogger(__name__)


class LongRunningCommands:
    """The long-running commands of a device, and their IDs. Any thread may use it.

    :param publish: pushes an event: name and new value of an attribute
    """

    def __init__(self, publish: Sink) -> None:
        self._publish = publish
        self.ids = CommandIds()
        self.tracker = CommandTracker(publish)

    def open(self) -> None:
        """Accept commands, also after a close, and announce the present ones."""
        if self.tracker.closed:
            self.tracker = CommandTracker(self._publish)
        for shown in LrcAttribute:
            # After Init they may be empty, and subscribers must be notified.
            if shown is not LrcAttribute.EVENT:
                self._publish(shown, self.tracker.value(shown))

    def close(self) -> None:
        """End all commands as aborted, and accept no more."""
        self.tracker.close()

    def run(self, name: str, run: Callable[[CommandHandle], None]) -> Reply:
        """Begin a long-running command.

        :param name: name of the Tango command
        :param run: carries it out, or starts it, and reports its end to the handle; it must not
            wait. An exception fails the command.
        :returns: the answer of the Tango command
        """
        try:
            handle = self.tracker.begin(name, self.ids.new(name))
        except TooManyCommandsError as error:
            return refused(str(error))
        handle.queued()
        if handle.started():
            try:
                run(handle)
            except Exception as error:
                LOGGER.exception("%s failed", name)
                handle.failed(error)
        return accepted(handle)

    def abort_all(self, name: str) -> Reply:
        """End all commands that wait or execute.

        :param name: name of the Tango command that asks for it
        :returns: the answer of the Tango command
        """
        try:
            handle = self.tracker.abort_all(self.ids.new(name), name)
        except TooManyCommandsError as error:
            return refused(str(error))
        return accepted(handle, ResultCode.STARTED)
