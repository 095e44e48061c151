"""A group of processes that may use only so much memory, and scripts that use more.

As a program, ``python -m tests.support.memory_group <state directory>``: runs one script, creates another
one that uses too much memory, and prints the states of both as JSON.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.patience import wait_until
from tests.support.script_bench import script, script_bench

_ROOT = Path("/sys/fs/cgroup")

_GREEDY = """
for _ in range(16):
    if os.fork() == 0:
        memory = bytearray(os.urandom(1 << 20) * 48)
        wait()
_, status = os.wait()
raise MemoryError(f"ended by signal {status}")
"""


@contextmanager
def memory_group(limit: int) -> Iterator[Path]:
    """Have a control group that limits memory; the test is skipped where none can be made.

    :param limit: how many bytes its processes may use
    :returns: the file that a process writes its ID to in order to join
    """
    first_version = (_ROOT / "memory").is_dir()
    group = _ROOT / ("memory" if first_version else "") / f"oet-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    try:
        (group / ("memory.limit_in_bytes" if first_version else "memory.max")).write_text(str(limit))
        yield group / "cgroup.procs"
    except OSError as error:
        pytest.skip(f"the control group cannot limit memory: {error}")
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), "end of all processes of the group")
        group.rmdir()


def _main(state: str) -> None:
    with script_bench(Path(state)) as bench:
        uses_some = "memory = bytearray(os.urandom(1 << 20) * 60)\nsay('up')\nwait()"
        running = bench.run_until_said(script(uses_some))
        greedy = bench.create(script(init=_GREEDY))
        bench.wait_for_end(greedy)
        print(json.dumps([bench.states(running)[-1], bench.states(greedy)[-1]]), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
