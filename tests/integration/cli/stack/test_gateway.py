"""The command, and a stack of two controllers behind one service."""

import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support import patient_http
from tests.support.oet_command import OetCommand
from tests.support.patience import patience, wait_until
from tests.support.processes import ServerProcess

SCRIPT = """
import threading
def init(subarray_id=99):
    print("subarray", subarray_id, flush=True)
def main(seconds=0.0):
    threading.Event().wait(seconds)
"""
PLAIN = "def main(): pass\n"
ABORT = "def main(subarray_id=None): print('abort')\n"


HOST = socket.gethostname()


@dataclass
class Gateway:
    """A stack with two controllers."""

    process: ServerProcess
    url: str
    oet: OetCommand
    scripts: Path

    def ids(self, number: int) -> list[int]:
        base = self.url.replace("/api/", f"/subarrays/{number}/api/")
        return [each["id"] for each in patient_http.get(f"{base}/procedures").json()["procedures"]]

    def states(self, number: int) -> list[str]:
        base = self.url.replace("/api/", f"/subarrays/{number}/api/")
        return [each["state"] for each in patient_http.get(f"{base}/procedures").json()["procedures"]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("subarrays")
    for name, text in (("hold", SCRIPT), ("plain", PLAIN), ("abort", ABORT)):
        (folder / f"{name}.py").write_text(text)
    options = ["--state-dir", str(folder / "state"), "--tango-port", "0", "--rest-port", "0"]
    options += ["--script-root", str(folder), "--subarrays", "2"]
    process = ServerProcess([sys.executable, "-m", "oet_devices.tools.stack", *options])
    try:
        ready = process.wait_for_output(
            r"^OET ready: TANGO_HOST=\S+ DEVICE=mid-oet/controller/01 REST=(http://\S+/api/v1.0) PAGE=http://\S+/$"
        )
        yield Gateway(process, ready[1], OetCommand(ready[1]), folder)
        assert {path.name for path in (folder / "state").glob("controller*")} == {
            "controller-01",
            "controller-02",
        }
    finally:
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience(10.0)) == 0
        assert time.monotonic() - began < patience(5.0)


def test_subarray_id_chooses_the_controller_and_is_an_argument(gateway: Gateway) -> None:
    listed = patient_http.get(f"{gateway.url}/subarrays").json()
    assert [(each["subarray_id"], each["device"], each["available"]) for each in listed] == [
        (1, "mid-oet/controller/01", True),
        (2, "mid-oet/controller/02", True),
    ]
    before = gateway.ids(1)
    hold = (gateway.scripts / "hold.py").as_uri()
    gateway.oet("procedure", "create", hold, "--subarray_id=2")
    assert gateway.ids(1) == before
    pid = gateway.ids(2)[-1]
    # Its main does not take the number, and is still started.
    done = gateway.oet("procedure", "start", "--subarray_id=2")
    assert done.stdout.endswith(f"Procedure {pid} is COMPLETE\n")
    described = gateway.oet("procedure", "describe", "--subarray-id=2").stdout
    assert "{'subarray_id': 2}" in described
    ran = gateway.oet("run", hold, "--subarray_id=2", "--seconds=0.01").stdout
    assert "| subarray 2\n" in ran
    assert ran.endswith(f"Procedure {gateway.ids(2)[-1]} is COMPLETE\n")
    gateway.oet("run", hold, "--subarray_id=2", "--init.subarray_id=1", status=1)
    assert gateway.oet("status", "--subarray_id=2").stdout.startswith("mid-oet/controller/02 is ON")
    assert "subarray 2" in gateway.oet("procedure", "output", "-f", "--subarray_id=2").stdout
    # Neither does the init that another script does not have.
    gateway.oet("procedure", "create", (gateway.scripts / "plain.py").as_uri(), "--subarray_id=2")
    assert len(gateway.ids(2)) == len(gateway.ids(1)) + 3
    gateway.oet("procedure", "list", "--subarray_id=1", f"--server-url={gateway.url}/")


@pytest.mark.parametrize(
    ("command", "number", "status", "reported"),
    [
        (["procedure", "create", "file:///a.py"], "3", 1, "does not have subarray 3"),
        (["procedure", "start"], "7", 1, "1 (mid-oet/controller/01), 2 (mid-oet/controller/02)"),
        (["procedure", "stop"], "3", 1, "does not have subarray 3"),
        (["activity", "run", "observe", "sbd-1"], "3", 1, "does not have subarray 3"),
        (["procedure", "create", "file:///a.py"], "two", 2, "'two' is neither the number of a subarray"),
        (["procedure", "start"], "two", 2, "'two' is neither the number of a subarray"),
        (["stop", "--all"], "0", 2, "'0' is neither the number of a subarray"),
    ],
)
def test_a_subarray_that_there_is_not_is_refused_and_nothing_is_created(
    gateway: Gateway, command: list[str], number: str, status: int, reported: str
) -> None:
    before = gateway.ids(1), gateway.ids(2)
    done = gateway.oet(*command, f"--subarray_id={number}", status=status)
    assert reported in " ".join(done.stderr.split())
    assert (gateway.ids(1), gateway.ids(2)) == before


def _occupy(gateway: Gateway) -> None:
    hold = (gateway.scripts / "hold.py").as_uri()
    for number in (1, 2):
        gateway.oet("procedure", "create", hold, f"--subarray_id={number}")
        gateway.oet("procedure", "start", f"--subarray_id={number}", "--seconds=100", "--listen=False")
        wait_until(lambda number=number: gateway.states(number)[-1] == "RUNNING", "it runs")  # type: ignore[misc]


def test_stop_all_says_what_it_will_stop_and_stops_all(gateway: Gateway) -> None:
    assert "Missing option '--all'" in gateway.oet("stop", status=2).stderr
    _occupy(gateway)
    done = gateway.oet("stop", "--all", "--run_abort=False")
    for number in (1, 2):
        name = f"Subarray {number} (mid-oet/controller/0{number})"
        pid = gateway.ids(number)[-1]
        assert f"{name}: procedure {pid}, file://{gateway.scripts}/hold.py, is RUNNING" in done.stderr
        assert f"{name}: Successfully stopped script with ID {pid}" in done.stdout
        assert gateway.states(number)[-1] == "STOPPED"
    done = gateway.oet("stop", "--all", "--yes")
    assert done.stderr.count("nothing runs") == 2


def test_a_controller_of_many_is_stopped_alone_by_its_number(gateway: Gateway) -> None:
    _occupy(gateway)
    gateway.oet("stop", "--all", "--subarray_id=2", "--run_abort=False")
    assert (gateway.states(1)[-1], gateway.states(2)[-1]) == ("RUNNING", "STOPPED")
    gateway.oet("procedure", "stop", "--subarray_id=1", "--run_abort=False")
    assert gateway.states(1)[-1] == "STOPPED"


def test_a_start_without_pid_is_of_what_the_same_user_has_created_last(gateway: Gateway) -> None:
    ann, bob = (OetCommand(gateway.url) for _ in range(2))
    ann.env["LOGNAME"], bob.env["LOGNAME"] = "ann", "bob"
    plain = (gateway.scripts / "plain.py").as_uri()
    for user in (ann, bob):
        user("procedure", "create", plain)
    mine, others = gateway.ids(1)[-2:]
    refused = ann("procedure", "start", status=1)
    for name in (f"ann@{HOST} has created procedure {mine} (plain.py) last", f"bob@{HOST} has created"):
        assert name in refused.stderr
    assert f"procedure {others} (plain.py) since" in refused.stderr
    assert f"Procedure {others} is COMPLETE" in bob("procedure", "start").stdout
    headers = {"X-OET-User": f"bob@{HOST}"}
    again = patient_http.post(f"{gateway.url}/procedures/{others}/rerun", json={}, headers=headers)
    assert again.json()["procedure"]["requested_by"]["user"] == f"bob@{HOST}"
    assert f"Procedure {others + 1} is COMPLETE" in bob("procedure", "start").stdout
    assert f"Procedure {mine} is COMPLETE" in ann("procedure", "start", f"--pid={mine}").stdout


def test_a_script_that_says_it_has_ended_is_listened_to_on(gateway: Gateway) -> None:
    (gateway.scripts / "liar.py").write_text(
        "import threading\n"
        "from pubsub import pub\n"
        "def main():\n"
        "    pub.sendMessage('procedure.lifecycle.failed', msg_src='x', request_id=1.0, result=None)\n"
        "    threading.Event().wait(0.3)\n"
    )
    gateway.oet("procedure", "create", (gateway.scripts / "liar.py").as_uri())
    assert "is COMPLETE" in gateway.oet("procedure", "start").stdout
