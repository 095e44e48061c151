"""Features that a site switches on and off for its controllers."""

import json
import shutil
from pathlib import Path

import tango
from tests.support.lrc_client import invoke
from tests.support.tango_stack import device_proxy, device_server, register

from oet_devices.ska.enums import HealthState
from ska_oso_oet.oda import SAMPLES_DIR

from .conftest import DEVICE_CLASS, MODULE

DEVICE = "test/activities/features"


def test_executions_are_recorded_unless_the_site_does_not_want_that(tango_host: str, tmp_path: Path) -> None:
    oda, home = tmp_path / "oda", tmp_path / "home"
    shutil.copytree(SAMPLES_DIR, oda)
    home.mkdir()
    (home / "ska_oso_oet.ini").write_text("[ska_oso_oet]\nrecord_executions = perhaps\n")
    properties = {"StateDirectory": [str(tmp_path / "state")], "StandbyWorkers": ["0"]}
    register(tango_host, f"{DEVICE_CLASS}/features", DEVICE_CLASS, DEVICE, properties)
    environment = {"ODA_BACKEND_TYPE": "filesystem", "ODA_DATA_DIR": str(oda), "HOME": str(home)}
    with device_server(tango_host, MODULE, "features", env=environment):
        controller = device_proxy(tango_host, DEVICE)
        controller.set_timeout_millis(20_000)  # a busy machine takes a while to make an executor
        controller.adminMode = 0
        assert controller.healthState == HealthState.FAILED
        assert "option 'record_executions' in section [ska_oso_oet] is 'perhaps'" in controller.Status()
        (home / "ska_oso_oet.ini").write_text("[ska_oso_oet]\nrecord_executions = no\n")
        with invoke(controller, "Reset") as reset:
            reset.wait_for_end()
        assert controller.State() == tango.DevState.ON, controller.Status()
        request = json.dumps({"activity_name": "allocate", "sbd_id": "sbd-123"})
        with invoke(controller, "RunActivity", request) as call:
            assert (call.wait_for_end().result or [None])[0] == 0
    assert not (oda / "sbi").exists()
