"""Sardana beside the OET: the peer that runs macros for most Tango control systems.

Its macros run in threads of its own server and nothing is kept, so the difference is what the isolation of
scripts and the durability of events are measured against.
"""

import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango
from tests.benchmarks.stack.arrivals import Arrivals
from tests.benchmarks.stack.oet import PROJECT
from tests.benchmarks.stack.trigger import Trigger
from tests.support.patience import LONG_PATIENCE
from tests.support.processes import ServerProcess
from tests.support.tango_stack import LOOPBACK, device_proxy, register

ENVIRONMENT = PROJECT / ".venv-bench"
"""Python environment of Sardana, which wants other packages than the OET."""

_MACROS = Path(__file__).with_name("macros")
_SERVER = "MacroServer/bench"
_MACRO_SERVER = "bench/macroserver/1"
_DOOR = "bench/door/1"
_LOOK_AGAIN = 0.05


def peer_python() -> Path:
    """Return the interpreter of Sardana's environment, which is made where there is none yet.

    :raises subprocess.CalledProcessError: if it cannot be made
    """
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted: list[str] = project["optional-dependencies"]["bench"]
    python, made_of = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "made-of.txt"
    if not made_of.exists() or made_of.read_text().splitlines() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        install += ["--constraint", str(PROJECT / "constraints.txt"), *wanted]
        # What goes wrong is on standard error, and so is much else.
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        made_of.write_text("\n".join(wanted))
    return python


class Door:
    """A door of Sardana: runs macros.

    :param proxy: the device
    :param states: its states, as they change
    :param outputs: lines that macros output
    :ivar version: version of Sardana
    """

    def __init__(self, proxy: tango.DeviceProxy, states: Arrivals, outputs: Arrivals, version: str) -> None:
        self.version = version
        self.states = states
        self.outputs = outputs
        self._proxy = proxy

    def run(self, macro: str, *arguments: str) -> None:
        """Begin to run a macro. Returns when Sardana has answered."""
        self._proxy.command_inout("RunMacro", [macro, *arguments])

    def wait_until_on(self) -> int:
        """Wait until the macro has ended, and return when that was heard of, in nanoseconds."""
        return self.states.until(lambda state: state == "ON").time

    @contextmanager
    def publisher(self, folder: Path, size: int) -> Iterator[Trigger]:
        """Run the macro that outputs on request, as long as the context lasts.

        :param folder: where to make its trigger
        :param size: length of a line
        """
        trigger = Trigger(folder / "trigger-sardana")
        self.run("Publish", str(trigger.path), str(size))
        try:
            self.outputs.settle(trigger)
            yield trigger
        finally:
            trigger.close()
            self.wait_until_on()


@contextmanager
def sardana_door(tango_host: str, folder: Path) -> Iterator[Door]:
    """Run a macro server of Sardana with one door, as long as the context lasts.

    :param tango_host: the Tango database for it
    :param folder: where it keeps what it must
    """
    python = peer_python()
    environment = {"MacroPath": [str(_MACROS)], "EnvironmentDb": [str(folder / "sardana-environment")]}
    register(tango_host, _SERVER, "MacroServer", _MACRO_SERVER, environment)
    register(tango_host, _SERVER, "Door", _DOOR, {"MacroServerName": [_MACRO_SERVER]})
    command = [str(python), str(python.with_name("MacroServer")), _SERVER.partition("/")[2]]
    command += ["-ORBendPoint", f"giop:tcp:{LOOPBACK}:0"]
    variables = {"TANGO_HOST": tango_host, "PYTHONPATH": str(PROJECT), "HOME": str(folder)}
    process = ServerProcess(command, variables)
    try:
        proxy = _once_it_answers(tango_host)
        with Arrivals(proxy, "State", _state_of) as states, Arrivals(proxy, "Output", _lines_of) as outputs:
            door = Door(proxy, states, outputs, _version(python))
            # Its first macro takes longer, and its first event may come before its socket is connected.
            door.run("Empty")
            time.sleep(1)
            while states.waiting:
                states.next()
            yield door
    finally:
        process.stop()


def _version(python: Path) -> str:
    """Return the version of Sardana in an environment."""
    asked = "from importlib.metadata import version; print(version('sardana'))"
    return subprocess.check_output([str(python), "-c", asked], text=True).strip()


def _once_it_answers(tango_host: str) -> tango.DeviceProxy:
    """Return the door when it answers: Sardana prints no line that says so."""
    deadline = time.monotonic() + LONG_PATIENCE
    while True:
        try:
            proxy = device_proxy(tango_host, _DOOR)
            proxy.ping()
        except tango.DevFailed:
            if time.monotonic() > deadline:
                raise
            time.sleep(_LOOK_AGAIN)
        else:
            return proxy


def _state_of(value: Any) -> Sequence[str]:
    return (str(value),)


def _lines_of(value: Any) -> Sequence[str]:
    # Of no lines, an empty one: every subscription begins with the present value.
    return tuple(value or ("",))
