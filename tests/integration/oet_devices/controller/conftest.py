"""A device server with controllers, one for each module of tests and some that no test has used."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support.operator import Operator, operate
from tests.support.tango_stack import database, device_proxy, device_server, register, tango_database

from oet_devices.properties import SHIPPED_SCRIPTS
from oet_devices.tools import registration

FIRST = "mid-oet/controller/01"
"""The one that the registration which ships defines."""
_OTHERS = [f"mid-oet/controller/{number:02}" for number in range(2, 18)]
_SERVER = "OETController/01"

WAITS = """
import signal
from pubsub import pub
from ska_oso_oet.event import topics

def main(announce="waiting"):
    try:
        print("waiting")
        # From here on the test may stop it, at any instruction.
        pub.sendMessage(topics.user.script.announce, msg=announce)
        signal.pause()
    finally:
        print("tidy")
"""
INIT_WAITS = """
import signal

def init():
    signal.pause()

def main(): ...
"""
FAILS_AT_LOAD = "raise RuntimeError('no licence')\ndef main(): ...\n"
FAILS_IN_INIT = "def init(): raise RuntimeError('no subarray')\ndef main(): ...\n"
PRINTS = """
def main(count=1, first=0):
    for number in range(first, first + count):
        print("line", number)
"""


@pytest.fixture(scope="package")
def script_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of scripts, beside those that ship."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "waits.py").write_text(WAITS)
    (folder / "init_waits.py").write_text(INIT_WAITS)
    (folder / "fails_at_load.py").write_text(FAILS_AT_LOAD)
    (folder / "fails_in_init.py").write_text(FAILS_IN_INIT)
    (folder / "prints.py").write_text(PRINTS)
    (folder / "no_main.py").write_text("def observe(): ...\n")
    (folder / "broken.py").write_text("def main(:\n")
    return folder


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a Tango database."""
    with tango_database(tmp_path_factory.mktemp("database")) as host:
        yield host


@pytest.fixture(scope="package")
def _server(tango_host: str, script_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The device server. All but the first controller are OFFLINE, and start workers only when asked to."""
    state = tmp_path_factory.mktemp("state")
    roots = [str(script_root), str(SHIPPED_SCRIPTS)]
    registration.register(
        database(tango_host),
        registration.registration_file("oet-mid"),
        {"ScriptRoots": roots, "StateDirectory": [str(state / "01")], "AllowEmbeddedScripts": ["true"]},
    )
    for device in _OTHERS:
        properties = {
            "ScriptRoots": roots,
            "StateDirectory": [str(state / device[-2:])],
            "StandbyWorkers": ["0"],
            "AllowEmbeddedScripts": ["true"],
        }
        register(tango_host, _SERVER, "OETController", device, properties)
    with device_server(tango_host, "oet_devices.server", "01"):
        yield


@pytest.fixture(scope="package")
def _unused(tango_host: str, _server: None) -> Iterator[str]:
    return itertools.chain([FIRST, *_OTHERS])


@pytest.fixture
def fresh(tango_host: str, _unused: Iterator[str]) -> tango.DeviceProxy:
    """A controller that no test has used, ONLINE."""
    return _online(tango_host, next(_unused))


@pytest.fixture(scope="module")
def controller(tango_host: str, _unused: Iterator[str]) -> tango.DeviceProxy:
    """A controller that only the tests of one module use."""
    return _online(tango_host, next(_unused))


def _online(tango_host: str, device: str) -> tango.DeviceProxy:
    proxy = device_proxy(tango_host, device)
    proxy.adminMode = 0
    assert proxy.State() == tango.DevState.ON
    return proxy


@pytest.fixture
def operator(controller: tango.DeviceProxy) -> Iterator[Operator]:
    """A client of the controller of this module. What it leaves running is stopped."""
    with operate(controller) as client:
        yield client
        for summary in _live(client):
            client.stop(summary)


def _live(client: Operator) -> list[int]:
    ended = ("COMPLETE", "FAILED", "STOPPED", "UNKNOWN")
    return [pid for pid in client.listed() if client.describe(pid)["state"] not in ended]


@pytest.fixture
def uri(script_root: Path) -> "Uris":
    """URIs of scripts, by name."""
    return Uris(script_root)


class Uris:
    """URIs of scripts, by name: those of the tests, else those that ship."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, name: str) -> str:
        """Return the URI of a script."""
        own = self._folder / f"{name}.py"
        return (own if own.exists() else SHIPPED_SCRIPTS / f"{name}.py").as_uri()
