"""The fixture ``oet``: scripts against a simulated telescope that behaves as a real one does."""

import time
from pathlib import Path

import pytest
import tango

from ska_oso_oet.procedure.domain.errors import ArgumentsError
from ska_oso_oet.testing import oet
from ska_oso_oet.testing._bench import ScriptBench

__all__ = ["oet"]

STATE = "Attribute(f'{subarray_fqdn_prefix()}/1', 'obsState')"


@pytest.fixture
def write(tmp_path: Path) -> Path:
    """The file of a script."""
    return tmp_path / "script.py"


def test_events_come_as_a_real_subarray_sends_them(oet: ScriptBench, write: Path) -> None:
    """The present value is not one of them, and a wait ends with the scan."""
    write.write_text(
        "import json\n"
        "from ska_oso_oet.tango import *\n"
        "def main():\n"
        "    subarray, executor, seen = Subarray(1), TangoExecutor(), []\n"
        "    subarray.assign_resources({}, timeout=5)\n"
        "    subarray.configure({}, timeout=5)\n"
        f"    state = {STATE}\n"
        "    executor.subscribe_event(state)\n"
        "    executor.execute(Command(subarray.fqdn, 'Scan', '{}'))\n"
        "    while 4 not in seen:\n"
        "        seen.append(executor.read_event(state, 5).attr_value.value)\n"
        "    return seen, executor.read(state).name\n"
    )
    oet.subarray(1).duration = 0.1
    began = time.monotonic()
    assert oet.load(write).main() == ([5, 4], "READY")
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("_again", range(2))
def test_each_test_has_a_telescope_of_its_own(oet: ScriptBench, write: Path, _again: int) -> None:
    write.write_text(
        "from ska_oso_oet.tango import Subarray\n"
        "def main(): Subarray(3).assign_resources({'dish': 1}, timeout=5)\n"
    )
    oet.load(write).main()
    assert oet.subarray(3).commands == [("AssignResources", '{"subarray_id": 3, "dish": 1}')]
    assert oet.events == []


def test_a_command_that_the_state_forbids_is_refused(oet: ScriptBench, write: Path) -> None:
    write.write_text("from ska_oso_oet.tango import Subarray\ndef main(): Subarray(1).scan(1, timeout=5)\n")
    with pytest.raises(tango.DevFailed, match=r"Scan is not allowed when obsState of .* is EMPTY"):
        oet.load(write).main()


def test_a_fault_ends_a_wait(oet: ScriptBench, write: Path) -> None:
    oet.subarray(1).fault_on("Configure")
    write.write_text(
        "from ska_oso_oet.tango import Subarray\n"
        "def main():\n"
        "    subarray = Subarray(1)\n"
        "    subarray.assign_resources({}, timeout=5)\n"
        "    subarray.configure({}, timeout=5)\n"
    )
    with pytest.raises(RuntimeError, match="went to FAULT during Configure"):
        oet.load(write).main()


def test_abort_interrupts_a_scan(oet: ScriptBench, write: Path) -> None:
    write.write_text(
        "from ska_oso_oet.tango import *\n"
        "def main():\n"
        "    subarray, executor, seen = Subarray(1), TangoExecutor(), []\n"
        "    subarray.assign_resources({}, timeout=5)\n"
        "    subarray.configure({}, timeout=5)\n"
        f"    state = {STATE}\n"
        "    executor.subscribe_event(state)\n"
        "    executor.execute(Command(subarray.fqdn, 'Scan', '{}'))\n"
        "    subarray.abort()\n"
        "    return [executor.read_event(state, 5).attr_value.value for _ in range(3)]\n"
    )
    oet.subarray(1).duration = 0.1
    assert oet.load(write).main() == [5, 6, 7]


def test_other_devices_are_those_that_the_test_adds(oet: ScriptBench, write: Path) -> None:
    class Weather:
        def command_inout(self, name: str) -> str:
            return f"{name}: calm"

    write.write_text(
        "from ska_oso_oet.tango import Command, TangoExecutor\n"
        "def main(device): return TangoExecutor().execute(Command(device, 'Wind'))\n"
    )
    oet.telescope.devices["site/weather/1"] = Weather()
    script = oet.load(write)
    assert script.main("site/weather/1") == "Wind: calm"
    with pytest.raises(tango.DevFailed, match="no simulated device site/weather/2"):
        script.main("site/weather/2")


def test_events_are_recorded_as_clients_receive_them(oet: ScriptBench, write: Path) -> None:
    write.write_text(
        "from pathlib import Path\n"
        "from pubsub import pub\n"
        "def main(): pub.sendMessage('data.written', msg_src='me', path=Path('/data/1'), rms=float('inf'))\n"
    )
    oet.load(write).main()
    assert oet.events == [
        ("data.written", {"msg_src": "me", "path": "/data/1", "rms": "Infinity"}),
    ]


def test_arguments_are_checked_as_by_the_oet(oet: ScriptBench, write: Path) -> None:
    write.write_text("def main(target): pass\n")
    with pytest.raises(ArgumentsError, match="missing a required argument: 'target'"):
        oet.load(write).main()
