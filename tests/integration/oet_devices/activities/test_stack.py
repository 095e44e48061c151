"""``oet-stack`` has Scheduling Blocks to begin with."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.oet_command import OetCommand, table_rows
from tests.support.processes import ServerProcess

from ska_oso_oet.oda import SAMPLES_DIR


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """Address of the REST service of a whole stack."""
    options = ["--state-dir", str(tmp_path), "--tango-port", "0", "--rest-port", "0"]
    no_oda = {"ODA_BACKEND_TYPE": "", "ODA_DATA_DIR": ""}
    process = ServerProcess([sys.executable, "-m", "oet_devices.tools.stack", *options], no_oda)
    try:
        yield process.wait_for_output(r"OET ready: .* REST=(\S+)")[1]
    finally:
        process.stop(10.0)


def test_the_session_of_the_documentation(url: str, tmp_path: Path) -> None:
    samples = sorted(SAMPLES_DIR.rglob("*"))
    oet = OetCommand(url)
    ran = oet("activity", "run", "allocate", "sbd-123", '--script-args={"init": {"kwargs": {"foo": "bar"}}}')
    _, (aid, name, sbd_id, _, pid, state), *_ = table_rows(ran.stdout)
    # How far it has come by then is a matter of milliseconds; that its procedure is named is not.
    assert (aid, name, sbd_id, pid) == ("1", "allocate", "sbd-123", "1")
    assert state in {"REQUESTED", "PREPARED", "RUNNING", "COMPLETE"}
    assert ran.stdout.endswith("\nActivity 1 is COMPLETE\n")

    ran = oet("activity", "run", "observe", "sbd-123", "--prepare-only=True")
    assert table_rows(ran.stdout)[1][4] == "2"
    assert ran.stdout.endswith("\nActivity 2 is PREPARED\n")
    _, first, second = table_rows(oet("activity", "list").stdout)
    assert (first[:3], first[4:]) == (["1", "allocate", "sbd-123"], ["1", "COMPLETE"])
    assert (second[:3], second[4:]) == (["2", "observe", "sbd-123"], ["2", "PREPARED"])

    started = table_rows(oet("procedure", "start", "--pid=2", "--listen=False").stdout)[1]
    assert started[:2] == ["2", "file://observe.py"]
    assert started[3] in {"RUNNING", "READY", "COMPLETE"}

    described = table_rows(oet("activity", "describe", "--aid=1").stdout)
    assert described[1] == ["1", "allocate", "sbd-123", "1", "COMPLETE"]
    assert described[3] == [f"{url}/activities/1", "False"]
    assert [row[1] for row in described[5:9]] == ["REQUESTED", "PREPARED", "RUNNING", "COMPLETE"]
    assert described[10] == ["init", "[1, 'foo']", "{'foo': 'bar'}"]

    described = table_rows(oet("procedure", "describe", "--pid=1").stdout)
    assert described[1] == ["1", "file://allocate.py", f"{url}/procedures/1"]
    states = ["CREATING", "IDLE", "LOADING", "IDLE", "RUNNING 1", "READY", "RUNNING 2", "READY", "COMPLETE"]
    assert [row[1] for row in described[3:12]] == states
    assert described[13] == ["1", "init", "[1, 'foo']", "{'foo': 'bar'}"]
    assert described[14][:3] == ["2", "main", "[]"]

    # Executions are recorded, but not in the folder of what was installed.
    assert list((tmp_path / "oda" / "sbi").iterdir()) != []
    assert sorted(SAMPLES_DIR.rglob("*")) == samples
