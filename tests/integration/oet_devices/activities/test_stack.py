"""``oet-stack`` has Scheduling Blocks to begin with."""

import json
import sys
from pathlib import Path

import tango
from tests.support.lrc_client import invoke
from tests.support.processes import ServerProcess

from ska_oso_oet.oda import SAMPLES_DIR


def test_the_sample_can_be_run(tmp_path: Path) -> None:
    samples = sorted(SAMPLES_DIR.rglob("*"))
    options = ["--state-dir", str(tmp_path), "--tango-port", "0", "--rest-port", "0"]
    no_oda = {"ODA_BACKEND_TYPE": "", "ODA_DATA_DIR": ""}
    process = ServerProcess([sys.executable, "-m", "oet_devices.stack", *options], no_oda)
    try:
        ready = process.wait_for_output(r"OET ready: TANGO_HOST=(\S+) DEVICE=(\S+)")
        controller = tango.DeviceProxy(f"tango://{ready[1]}/{ready[2]}")
        request = json.dumps({"activity_name": "allocate", "sbd_id": "sbd-123"})
        with invoke(controller, "RunActivity", request) as call:
            code, summary = call.wait_for_end().result or [None, None]
    finally:
        process.stop(10.0)
    assert code == 0, summary
    # Its execution is recorded, but not in the folder of what was installed.
    assert len(list((tmp_path / "oda" / "sbi").iterdir())) == 1
    assert sorted(SAMPLES_DIR.rglob("*")) == samples
