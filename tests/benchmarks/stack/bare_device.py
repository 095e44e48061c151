"""The baseline of Tango figures: a device that does as little as a PyTango device can do."""

import threading
from pathlib import Path

import tango
from tango.server import AttrWriteType, Device, attribute, command, device_property, run
from tests.benchmarks.stack.stamp import stamped


class BareDevice(Device):
    """Echoes texts, holds a text, and pushes change events on request through a named pipe."""

    TriggerPath = device_property(
        dtype="DevString", doc="Named pipe; each line says how many events to push."
    )
    EventSize = device_property(dtype="DevLong", default_value=400, doc="Length of an event, in characters.")

    text = attribute(dtype="DevString", access=AttrWriteType.READ_WRITE)
    pushed = attribute(dtype="DevString", fget=lambda self: "")

    def init_device(self) -> None:
        """Start the thread that pushes."""
        super().init_device()
        self._text = ""
        self.set_change_event("pushed", True, False)
        threading.Thread(target=self._push_when_told, daemon=True).start()

    def read_text(self) -> str:
        """Return the text that was written last."""
        return self._text

    def write_text(self, text: str) -> None:
        """Record a text."""
        self._text = text

    @command(dtype_in="DevString", dtype_out="DevString")
    def Echo(self, argin: str) -> str:
        """Return the argument."""
        return argin

    def _push_when_told(self) -> None:
        with tango.EnsureOmniThread(), Path(self.TriggerPath).open("rb") as triggers:
            for line in triggers:
                for _ in range(int(line)):
                    self.push_change_event("pushed", stamped(self.EventSize))


if __name__ == "__main__":
    run((BareDevice,))
