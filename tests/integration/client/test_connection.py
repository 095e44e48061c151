"""The connection to a device that is started at the same time as its client."""

import pytest
from tests.support.oet_stack import OetStack
from tests.support.tango_stack import device_name, device_server, register

from ska_oso_oet.client.device import TangoDevice
from ska_oso_oet.client.errors import DeviceAwayError

_DISH = "test-connection/dish/1"


def test_a_device_is_reached_as_soon_as_it_answers(place: OetStack) -> None:
    register(place.tango_host, "dish_device/connection", "Dish", _DISH)
    device = TangoDevice(device_name(place.tango_host, _DISH), 3.0)
    for _ in range(10):
        with pytest.raises(DeviceAwayError) as raised:
            device.ping()
    assert str(raised.value).endswith("cannot be reached: its device server does not run")
    with device_server(place.tango_host, "tests.support.dish_device", "connection"):
        # Tango itself would refuse for a second after each attempt.
        device.ping()
        assert device.read("azimuth") == 0.0
