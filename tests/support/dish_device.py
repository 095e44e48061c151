"""A Tango device whose command takes its time: a dish that slews to a target.

``python -m tests.support.dish_device <instance>`` serves it.
"""

# PyTango has no types.
# mypy: disable-error-code="misc, untyped-decorator, no-any-return"

import threading
from enum import IntEnum

import tango
from tango.server import Device, attribute, command, run


class PointingState(IntEnum):
    """States of the dish, in the order of the attribute's labels."""

    STANDBY = 0
    ON_TARGET = 1
    SLEWING = 2


LABELS = ["STANDBY", "ON TARGET", "SLEWING"]


class Dish(Device):
    """Goes from ON TARGET to SLEWING and back whenever it is sent to a target."""

    def init_device(self) -> None:
        """Begin on target."""
        super().init_device()
        self._state = PointingState.ON_TARGET
        self._azimuth = 0.0
        for name in ("pointingState", "azimuth"):
            self.set_change_event(name, True, False)

    @attribute(dtype="DevEnum", enum_labels=LABELS)
    def pointingState(self) -> int:
        """State of the dish."""
        return int(self._state)

    @attribute(dtype=("DevEnum",), max_dim_x=8, enum_labels=LABELS)
    def pastStates(self) -> list[int]:
        """States that a slew goes through."""
        return [PointingState.SLEWING, PointingState.ON_TARGET]

    @attribute(dtype="DevEnum", enum_labels=["mro", "__init__"])
    def oddLabels(self) -> int:
        """Has labels that no member of a Python enumeration can have."""
        return 1

    @attribute(dtype=float)
    def azimuth(self) -> float:
        """Azimuth in degrees."""
        return self._azimuth

    @command(dtype_in=float)
    def Slew(self, duration: float) -> None:
        """Go to another target.

        :param duration: how long that takes, in seconds
        """
        threading.Thread(target=self._slew, args=(duration,), daemon=True).start()

    @command
    def BreakSensor(self) -> None:
        """Push an error instead of a value of the azimuth."""
        error = tango.DevError()
        error.reason, error.desc, error.origin = "DISH_SensorError", "the encoder is frozen", "Dish"
        self.push_change_event("azimuth", tango.DevFailed(error))

    def _slew(self, duration: float) -> None:
        with tango.EnsureOmniThread():
            self._become(PointingState.SLEWING)
            threading.Event().wait(duration)
            self._azimuth += 1.0
            self.push_change_event("azimuth", self._azimuth)
            self._become(PointingState.ON_TARGET)

    def _become(self, state: PointingState) -> None:
        self._state = state
        self.push_change_event("pointingState", int(state))


if __name__ == "__main__":
    run((Dish,))
