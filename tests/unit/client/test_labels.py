"""Names of modes and states are those of the device's enumerations, in their order."""

from enum import Enum

import pytest

from oet_devices.ska import enums
from ska_oso_oet import model


@pytest.mark.parametrize(
    ("known", "of_device"),
    [
        (model.AdminMode, enums.AdminMode),
        (model.HealthState, enums.HealthState),
        (model.ControlMode, enums.ControlMode),
        (model.SimulationMode, enums.SimulationMode),
        (model.TestMode, enums.TestMode),
        (model.LoggingLevel, enums.LoggingLevel),
    ],
)
def test_labels_are_those_of_the_device(known: type[Enum], of_device: type[Enum]) -> None:
    assert [each.name for each in known] == [each.name for each in of_device]
