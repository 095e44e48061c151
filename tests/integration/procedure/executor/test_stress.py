"""The stress run in short; ``make stress`` runs thousands of procedures."""

import subprocess
import sys
from pathlib import Path

from tests.support.patience import LONG_PATIENCE

PROJECT = Path(__file__).parents[4]


def test_hundred_procedures_of_all_kinds_end_well_and_leave_nothing() -> None:
    """With a new seed each time, which the output shows."""
    command = [sys.executable, "-m", "tests.stress", "--procedures", "100", "--warm-up", "30"]
    ended = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=LONG_PATIENCE, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
