"""A device with long-running commands of every fate, to be run as a device server by the tests."""

import json
import logging
import sys

from tango import DevState
from tango.server import attribute, command, device_property, run

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.device import SkaBaseDevice
from oet_devices.ska.enums import CommunicationStatus, HealthState
from oet_devices.ska.information import Release
from oet_devices.ska.replies import Reply, accepted, refused


class SkaTestDevice(SkaBaseDevice):
    """A device that clients drive through the reports which a real device would get from its parts."""

    RELEASE = Release("ska-test-device", "1.2.3", "A device for tests.")

    Answer = device_property(dtype="DevLong", default_value=42, doc="A property that can be set wrongly.")

    def init_device(self) -> None:
        """Start with nothing held."""
        super().init_device()
        self._held: list[CommandHandle] = []

    def compose(self) -> None:
        """Create the objects that outlive Init."""
        super().compose()
        self._found = 0

    @attribute(dtype="DevLong", label="Value")
    def value(self) -> int:
        """A subclass's own attribute."""
        return int(self.Answer or 0)

    @command(dtype_out="DevVarLongStringArray")
    def Count(self) -> Reply:
        """Run a command that reports its progress and succeeds."""

        def count(handle: CommandHandle) -> None:
            for percent in (33, 66):
                handle.progress(percent)
            handle.completed()

        return self.commands.run("Count", count)

    @command(dtype_out="DevVarLongStringArray")
    def Break(self) -> Reply:
        """Run a command that raises."""

        def fail(handle: CommandHandle) -> None:
            raise RuntimeError("The drive is stuck.")

        return self.commands.run("Break", fail)

    @command(dtype_out="DevVarLongStringArray")
    def Hold(self) -> Reply:
        """Begin a command that lasts until it is aborted, or released."""
        name = self.commands.ids.new("Hold")
        handle = self.commands.tracker.begin("Hold", name, lambda: self._handle(name).aborted())
        self._held.append(handle)
        handle.started()
        return accepted(handle)

    @command(dtype_in="DevString")
    def Release(self, argin: str) -> None:
        """Let a command that lasts succeed."""
        self._handle(argin).completed("released")

    @command(dtype_out="DevVarLongStringArray")
    def TurnedAway(self) -> Reply:
        """Begin a command that is refused when its turn comes."""
        handle = self.commands.tracker.begin("TurnedAway", self.commands.ids.new("TurnedAway"))
        handle.queued()
        handle.rejected()
        return accepted(handle)

    @command(dtype_out="DevVarLongStringArray")
    def Refused(self) -> Reply:
        """Refuse a command at once."""
        return refused("Not today — come back tomorrow.")

    @command(dtype_in="DevString")
    def Report(self, argin: str) -> None:
        """Report what a part of the device would: JSON with one or more of the keys below."""
        report = json.loads(argin)
        if "communication" in report:
            status = CommunicationStatus[report["communication"]]
            self.operation.report_communication(status, report.get("fault"))
        if "health" in report:
            self.operation.report_health(HealthState[report["health"]], report["reason"])
        if "power" in report:
            self.operation.report_power(getattr(DevState, report["power"]))

    @command(dtype_in="DevLong")
    def Burst(self, argin: int) -> None:
        """Have many events pushed."""
        self.publisher.submit_all([("value", number) for number in range(1, argin + 1)])

    @command(dtype_in="DevLong")
    def BurstOfLatest(self, argin: int) -> None:
        """Have many events submitted of which only the last matters."""
        for number in range(1, argin + 1):
            self.publisher.submit_latest("value", number)

    @command(dtype_out="DevLong")
    def SubmitFunction(self) -> int:
        """Submit a function that gives a value. Returns how often it was called for earlier submissions."""
        self.publisher.submit_latest("value", self._find)
        return self._found

    def _find(self) -> int:
        self._found += 1
        return 1000 + self._found

    @command
    def PushBadly(self) -> None:
        """Submit an event that cannot be pushed, and one that can."""
        self.publish("value", "this is not a number")
        self.publish("value", 7)

    @command(dtype_in="DevString")
    def Log(self, argin: str) -> None:
        """Log a message as some library in the process would: JSON list of its level and text."""
        level, text = json.loads(argin)
        logging.getLogger("some.library").log(getattr(logging, level), text)

    def _handle(self, command_id: str) -> CommandHandle:
        return next(handle for handle in self._held if handle.id == command_id)


if __name__ == "__main__":
    run((SkaTestDevice,), args=["SkaTestDevice", *sys.argv[1:]], verbose=True)
