"""Hints at commands, by the state of the controller."""

import pytest

from ska_oso_oet.cli.controller_calls import way_out
from ska_oso_oet.model import AdminMode, ControllerStatus, HealthState


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("ON", None),
        ("ALARM", None),
        ("FAULT", "oet reset"),
        ("DISABLE", "oet admin-mode ONLINE"),
        ("OFF", "oet admin on"),
        ("STANDBY", "oet admin on"),
    ],
)
def test_the_command_that_helps(state: str, advice: str | None) -> None:
    status = ControllerStatus(
        device="a/b/c",
        state=state,
        health_state=HealthState.OK,
        admin_mode=AdminMode.ONLINE,
        status="",
        running_procedure=None,
        last_procedure=None,
        subarray_id=None,
        version="1",
    )
    found = way_out(status)
    assert found is None if advice is None else advice in str(found)
