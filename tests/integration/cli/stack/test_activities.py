"""`oet activity run`, followed until the activity ends in whatever way."""

import json
import os

from tests.support.oet_command import OetCommand, OetInProcess, table_rows
from tests.support.patience import PATIENCE

from .conftest import FreshStack

FAILS = """
def init(subarray_id):
    pass

def main(sb_json):
    raise RuntimeError("the antenna is stuck")
"""
WAITS = """
from pubsub import pub
from ska_oso_oet.event import topics

def init(subarray_id):
    pass

def main(sb_json, fifo, simulate=True):
    pub.sendMessage(topics.user.script.announce, msg="at work")
    open(fifo).read()
"""


def test_the_exit_status_tells_how_an_activity_ended(fresh: FreshStack) -> None:
    oet, invoke = OetCommand(fresh.url), OetInProcess(fresh.url)
    # Scripts of the first root come before those of the same name that ship.
    fresh.write(deallocate=FAILS, observe=WAITS)
    failed = invoke("activity", "run", "deallocate", "sbd-123", status=1)
    assert "\nTraceback (most recent call last):\n" not in failed.stderr
    assert failed.stderr == "Error: Activity 1 is FAILED: RuntimeError: the antenna is stuck\n"
    assert failed.stdout.count("RuntimeError: the antenna is stuck\n") >= 1
    unknown = invoke("activity", "run", "calibrate", "sbd-123", status=1)
    assert "has no activity 'calibrate'; it has: allocate, deallocate, observe" in unknown.stderr
    assert unknown.stderr.count("\n") == 1

    fifo = fresh.folder / "fifo"
    os.mkfifo(fifo)
    script_args = f'--script-args={{"main": {{"kwargs": {{"fifo": "{fifo}"}}}}}}'
    with oet.running("activity", "run", "observe", "sbd-123", script_args) as running:
        assert running.stdout is not None
        while "at work" not in running.stdout.readline():
            assert running.poll() is None, running.communicate()
        pid = table_rows(invoke("activity", "list", "--aid=3").stdout)[1][4]
        invoke("procedure", "stop", f"--pid={pid}", "--run_abort=False")
        _, stderr = running.communicate(timeout=PATIENCE)
    assert (running.returncode, stderr) == (3, "Error: Activity 3 is STOPPED\n")
    states = [row[-1] for row in table_rows(invoke("activity", "list").stdout)[1:]]
    assert states == ["FAILED", "FAILED", "STOPPED"]


def test_scheduling_blocks_are_listed(fresh: FreshStack) -> None:
    invoke = OetInProcess(fresh.url)
    header, row = table_rows(invoke("activity", "sbds", "--query=123").stdout)
    assert header == ["SB ID", "Version", "Changed", "Activities"]
    assert (row[:2], row[3]) == (["sbd-123", "1"], "allocate, deallocate, observe")
    assert json.loads(invoke("activity", "sbds", "--query=none", "--json").stdout) == {
        "sbds": [],
        "more": False,
        "cannot_list": None,
    }
    assert "query" in invoke("activity", "sbds", "--query=a/b", status=1).stderr
