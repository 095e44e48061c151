"""Controllers whose Scheduling Blocks are files, and one whose ODA can hang."""

import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.oda_server import OdaServer, running_oda_server
from tests.support.tango_stack import device_proxy, device_server, register, tango_database

from ska_oso_oet.oda import SAMPLES_DIR

MODULE = "oet_devices.server"
DEVICE_CLASS = "OETController"
SCRIPTS = Path(SAMPLES_DIR).parents[1] / "scripts"

_DEVICES = [f"test/activities/{number}" for number in range(1, 16)]
_OF_SUBARRAY_3 = "test/activities/subarray-3"
_SLOW = "test/activities/slow"

_MORE_SCRIPTS = {
    "breaks.py": "def main(sb_json): raise RuntimeError('the antenna is stuck')\n",
    "waits.py": (
        "import threading\n"
        "from pubsub import pub\n"
        "from ska_oso_oet.event import topics\n"
        "def main(sb_json):\n"
        "    pub.sendMessage(topics.user.script.progress, progress=40)\n"
        "    threading.Event().wait()\n"
    ),
}


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database of its own."""
    with tango_database(tmp_path_factory.mktemp("tango")) as host:
        yield host


@pytest.fixture(scope="package")
def more_scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scripts that do not ship."""
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in _MORE_SCRIPTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="package")
def files_server(
    tango_host: str, more_scripts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A server with controllers that no test has touched yet, and the sample Scheduling Block."""
    oda = tmp_path_factory.mktemp("oda") / "oda"
    shutil.copytree(SAMPLES_DIR, oda)
    block = {name[:-3]: {"kind": "filesystem", "path": f"file://{name}"} for name in _MORE_SCRIPTS}
    (oda / "sbd" / "sbd-more").mkdir()
    (oda / "sbd" / "sbd-more" / "1.json").write_text(json.dumps({"sbd_id": "sbd-more", "activities": block}))
    for device in _DEVICES:
        properties = {
            "StateDirectory": [str(tmp_path_factory.mktemp("state"))],
            "ScriptRoots": [str(SCRIPTS), str(more_scripts)],
            "StandbyWorkers": ["0"],
        }
        register(tango_host, f"{DEVICE_CLASS}/files", DEVICE_CLASS, device, properties)
    own = {**properties, "StateDirectory": [str(tmp_path_factory.mktemp("state"))], "SubarrayId": ["3"]}
    own["GitRepositories"] = ["file:///*"]
    register(tango_host, f"{DEVICE_CLASS}/files", DEVICE_CLASS, _OF_SUBARRAY_3, own)
    environment = {"ODA_BACKEND_TYPE": "filesystem", "ODA_DATA_DIR": str(oda)}
    with device_server(tango_host, MODULE, "files", env=environment):
        yield


@pytest.fixture(scope="package")
def _unused_devices() -> Iterator[str]:
    return itertools.chain(_DEVICES)


@pytest.fixture
def controller(tango_host: str, files_server: None, _unused_devices: Iterator[str]) -> tango.DeviceProxy:
    """A controller that is ON."""
    return _online(tango_host, next(_unused_devices))


@pytest.fixture
def controller_of_subarray_3(tango_host: str, files_server: None) -> tango.DeviceProxy:
    """A controller that is for subarray 3 only, and that may use git repositories of files."""
    return _online(tango_host, _OF_SUBARRAY_3)


@pytest.fixture(scope="package")
def oda_server() -> Iterator[OdaServer]:
    """The ODA of the controller that has a slow one."""
    with running_oda_server() as server:
        yield server


@pytest.fixture(scope="package")
def slow_server(
    tango_host: str, oda_server: OdaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A server with one controller whose ODA is a REST service."""
    properties = {
        "StateDirectory": [str(tmp_path_factory.mktemp("state"))],
        "OdaTimeout": ["1.5"],
        "StandbyWorkers": ["0"],
    }
    register(tango_host, f"{DEVICE_CLASS}/slow", DEVICE_CLASS, _SLOW, properties)
    environment = {"ODA_BACKEND_TYPE": "rest", "ODA_URL": oda_server.url}
    with device_server(tango_host, MODULE, "slow", env=environment):
        yield


@pytest.fixture
def slow_controller(tango_host: str, slow_server: None, oda_server: OdaServer) -> tango.DeviceProxy:
    """A controller that is ON, and whose ODA the test controls."""
    oda_server.reset()
    return _online(tango_host, _SLOW)


def _online(tango_host: str, device: str) -> tango.DeviceProxy:
    proxy = device_proxy(tango_host, device)
    proxy.adminMode = 0
    assert proxy.State() == tango.DevState.ON, proxy.Status()
    return proxy
