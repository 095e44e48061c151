"""``make demo``: what it shows, and that nothing of it is left."""

import os
import re
import subprocess
import sys
import uuid

from tests.support.leftovers import marked
from tests.support.patience import LONG_PATIENCE
from tests.support.preloaded_programs import TEST_MARK


def test_the_demonstration_shows_how_scripts_end_and_leaves_nothing_behind() -> None:
    mark = uuid.uuid4().hex
    done = subprocess.run(
        [sys.executable, "-m", "oet_devices.tools.demo"],
        env={**os.environ, TEST_MARK: mark},
        capture_output=True,
        text=True,
        timeout=LONG_PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    reported = done.stdout
    assert "RuntimeError: the antenna is stuck" in reported
    assert "user.script.progress" in reported
    assert "$ oet activity run" in reported
    table = re.findall(r"│ (\d) +│ (\w+)\.py +│ [\d:]+ +│ [\d.]+ s +│ (\w+)", reported)
    assert table == [
        ("1", "hello_world", "COMPLETE"),
        ("2", "fails", "FAILED"),
        ("3", "countdown", "STOPPED"),
        ("4", "allocate", "COMPLETE"),
        ("5", "hello_world", "COMPLETE"),
        ("6", "countdown", "COMPLETE"),
        ("7", "observe", "COMPLETE"),
        ("8", "hello_world", "COMPLETE"),
    ]
    assert marked(mark) == []
