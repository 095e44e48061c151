"""The guard of unit tests has no effect on the other tests of the same process."""

import subprocess
import sys
from pathlib import Path

# With an audit hook left behind, some of these threads would end at their start.
_PROGRAM = """
import sys, threading
import tests.unit.conftest

failures = []
sys.unraisablehook = failures.append
sys.setswitchinterval(1e-6)
threading.settrace(lambda *_: sys.settrace(None))  # as coverage does
for _ in range(3000):
    for _ in range(4):
        threading.Thread(target=int, daemon=True).start()
print(len(failures))
"""


def test_threads_start_under_a_trace_function_once_the_guard_is_loaded() -> None:
    project = Path(__file__).parents[2]
    command = [sys.executable, "-c", _PROGRAM]
    seen = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    assert seen.stdout == "0\n"
