"""A server whose state directory becomes unreadable while it runs.

As a program, ``python -m tests.support.locked_out <state directory>``: prints as JSON what the journal said
then, and the states of the procedures.
"""

import json
import os
import queue
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.script_bench import script, script_bench

from ska_oso_oet.journal import open_journal
from ska_oso_oet.procedure.domain import ProcedureState


def run_locked_out(state: Path) -> dict[str, str]:
    """Run the program of this module as a user that permissions apply to, and return its output."""
    # What makes root an exception is taken from it.
    plain = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*plain, sys.executable, "-m", __name__, str(state)],
        stdout=subprocess.PIPE,
        timeout=2 * PATIENCE,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _main(state: Path) -> None:
    faults: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with script_bench(state, journal=open_journal(state, on_fault=faults.put), preload=()) as bench:
        running = bench.run_until_said(script("say('up')\nwait()"))
        state.chmod(0o000)
        try:
            bench.stop(running)
            late = bench.run(script("print('hello')"))
            bench.wait_for_state(late, ProcedureState.COMPLETE)
            while "Permission denied" not in (fault := str(faults.get(timeout=PATIENCE))):
                pass
        finally:
            state.chmod(0o700)
        while faults.get(timeout=PATIENCE) is not None:
            pass
        bench.assert_works()
    journal = open_journal(state)
    kept = {each.id: json.loads(each.text)["state"] for each in journal.newest_documents("procedure", 10)}
    events = journal.read_events(0, 1000)
    gapless = [event.seq for event in events] == list(range(1, journal.last_seq + 1))
    found = {
        "fault": fault,
        "running": kept[running],
        "late": kept[late],
        "events": "all" if gapless else "some",
        "recovery": journal.recovery or "",
    }
    journal.close()
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
