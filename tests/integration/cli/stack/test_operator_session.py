"""A night of an operator who has nothing but the `oet` command."""

import re
import signal
import zipfile

from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.patience import PATIENCE, wait_until

from .conftest import FreshStack

OBSERVE = """
from pubsub import pub
from ska_oso_oet.event import topics

def init(subarray_id=1):
    print("prepared for subarray", subarray_id)

def main(target, scans=2):
    with open("log.txt", "w") as log:
        log.write(target)
    for scan in range(1, scans + 1):
        print("scan", scan, "of", target)
        pub.sendMessage(topics.user.script.progress, progress=100 * scan / scans, msg=f"scan {scan}")
    return_to_stow()
"""
FIXED = OBSERVE.replace("return_to_stow()", "print('stowed')")
TRACK = """
import time

def main():
    for second in range(600):
        print("tracking", second, flush=True)
        time.sleep(1)
"""


def test_a_night(fresh: FreshStack) -> None:
    oet, invoke = OetCommand(fresh.url), OetInProcess(fresh.url)
    fresh.write(observe=OBSERVE, track=TRACK)
    observe, track = ((fresh.folder / f"{name}.py").as_uri() for name in ("observe", "track"))

    # What is there, and what can be done?
    assert invoke("status").stdout.splitlines()[0] == "mid-oet/controller/01 is ON, health OK, ONLINE"
    wait_until(
        lambda: {observe, track} <= set(invoke("scripts", "list").stdout.splitlines()),
        "the new scripts are listed",
    )

    # A slip of the hand, then a script that fails: its reason is shown, and what it printed.
    assert "'target'" in invoke("run", observe, "--traget=Vela", status=1).stderr
    failed = invoke("run", observe, "Vela", status=1)
    assert "return_to_stow" in failed.stderr
    assert re.search(r" user\.script\.progress +#1  100\.0 %, scan 2\n", failed.stdout)
    assert invoke("procedure", "output").stdout.splitlines()[-1] == "scan 2 of Vela"
    assert "NameError" in invoke("procedure", "describe").stdout

    # Fixed, prepared and started.
    fresh.write(observe=FIXED)
    assert table_rows(invoke("procedure", "create", observe, "--wait").stdout)[1][3] == "READY"
    assert "| stowed\n" in invoke("procedure", "start", "Vela", "--scans=1").stdout

    # A long one, followed from another terminal; a second one has to wait.
    invoke("procedure", "create", track, "--wait")
    invoke("procedure", "start", "--listen=False")
    assert "Running #3 track.py" in invoke("status").stdout
    invoke("procedure", "create", observe, "--wait")
    assert "procedure 3 (track.py) is running" in invoke("procedure", "start", "Vela", status=1).stderr
    with oet.running("procedure", "output", "--pid=3", "--follow") as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "tracking 0\n"
        invoke("procedure", "stop", "--run_abort=False")
        following.communicate(timeout=PATIENCE)
        assert following.returncode == 0
    invoke("procedure", "start", "Vela")

    # What a script takes, what the runs have left, and one of them again with other arguments.
    assert "target" in invoke("scripts", "describe", observe).stdout
    assert "| scan 1 of Sirius\n" in invoke("procedure", "rerun", "2", "Sirius").stdout
    assert "log.txt (6 B)" in invoke("procedure", "diff", "2", "5").stdout
    assert table_rows(invoke("procedure", "files", "--pid=5").stdout)[1][:2] == ["log.txt", "6"]
    assert invoke("procedure", "files", "log.txt", "--pid=5", "--to=-").stdout == "Sirius"
    assert invoke("procedure", "environment", "--pid=5").stdout.startswith("Python 3.")
    invoke("procedure", "export", "5", f"--to={fresh.folder / 'night.zip'}")
    assert zipfile.is_zipfile(fresh.folder / "night.zip")
    found = table_rows(invoke("procedure", "list", "--state=FAILED", "--since=1h").stdout)
    assert [row[0] for row in found[1:]] == ["1"]

    # An activity of a Scheduling Block that there is not, and all that runs is stopped.
    invoke("activity", "run", "allocate", "sbd-1", "--listen=False", status=1)
    assert table_rows(invoke("activity", "list").stdout)[1][0] == "1"
    assert "FAILED" in invoke("activity", "describe", "--aid=1").stdout
    invoke("procedure", "create", track, "--wait")
    invoke("procedure", "start", "--listen=False")
    assert "stopped script with ID 6" in invoke("stop", "--all", "--yes", "--run_abort=False").stdout

    # Maintenance: nothing can be started, and each refusal says how to go on.
    invoke("admin-mode", "OFFLINE")
    assert "'oet admin-mode ONLINE'" in invoke("run", observe, "Vela", status=1).stderr
    invoke("admin-mode", "ONLINE")
    assert invoke("reset").stdout.startswith("mid-oet/controller/01 is ON")

    # What happened.
    rows = table_rows(invoke("procedure", "list").stdout)
    states = ["FAILED", "COMPLETE", "STOPPED", "COMPLETE", "COMPLETE", "STOPPED"]
    assert [row[3] for row in rows[1:]] == states
    with oet.running("listen", "--since=0", "--topic=procedure.lifecycle.complete") as listening:
        assert listening.stdout is not None
        assert [listening.stdout.readline().split()[3] for _ in range(2)] == ["#2", "#4"]
        listening.send_signal(signal.SIGINT)
        listening.communicate(timeout=PATIENCE)
