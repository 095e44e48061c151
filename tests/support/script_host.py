"""A process that hosts script execution, for tests that kill it.

As a program: ``python -m tests.support.script_host <state directory> <file of a script>...``. It runs
``init`` of each script, and ``main`` of the last until that announces something; then it prints ``up``, and
lives until it is killed.
"""

import signal
import sys
from pathlib import Path

from tests.support.script_bench import ScriptBench, script_bench


def _host(bench: ScriptBench, scripts: list[str]) -> None:
    ids = [bench.ready(Path(path).read_text()) for path in scripts]
    bench.start(ids[-1])
    bench.wait_for(lambda: bench.said(ids[-1]))
    sys.stdout.write("up\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    with script_bench(Path(sys.argv[1]), standby_workers=2) as the_bench:
        _host(the_bench, sys.argv[2:])
