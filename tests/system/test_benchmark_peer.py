"""The rows of the benchmark beside Sardana, which is installed from PyPI into an environment of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.benchmarks.stack.oet import PROJECT
from tests.benchmarks.stack.sardana import ENVIRONMENT
from tests.support.benchmarks import ONLY_WITH_BENCHMARKS
from tests.support.patience import LONG_PATIENCE, patience

FIGURES = {
    "Start, answered, beside Sardana",
    "Start to COMPLETE event, beside Sardana",
    "event, script to Tango client, beside Sardana",
    "burst to Tango client, beside Sardana",
}


@ONLY_WITH_BENCHMARKS
@pytest.mark.timeout(patience(300))
def test_the_oet_is_measured_beside_sardana(tmp_path: Path) -> None:
    if not ENVIRONMENT.exists() and os.environ.get("OET_REQUIRE_SYSTEM_TESTS") != "1":
        pytest.skip(
            "there is no environment with Sardana yet: make bench BENCH_ARGS='--only sardana' makes it"
        )
    figures = tmp_path / "figures.json"
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks",
        "--quick",
        "--only",
        "sardana",
        "--output",
        str(figures),
    ]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=4 * LONG_PATIENCE)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = {row["name"]: row for row in json.loads(figures.read_text())["rows"]}
    assert rows.keys() == FIGURES
    for row in rows.values():
        assert row["ratio"] > 0
        assert row["baseline"]["median"] > 0
