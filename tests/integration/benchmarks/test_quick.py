"""The benchmark as ``make bench`` runs it, with hardly any samples: that it works, not how fast it is."""

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.__main__ import GROUPS
from tests.support.patience import LONG_PATIENCE, patience

_ROOT = Path(__file__).parents[3]

FIGURES = {
    "stack start to ready line, again": "s",
    "stack start to ready line, the first time": "s",
    "idle, of one processor core": "%",
    "memory, idle, all together": "MiB",
    "memory, idle, device server": "MiB",
    "memory, idle, forkserver": "MiB",
    "memory, idle, standby worker": "MiB",
    "memory, idle, sidecar": "MiB",
    "query command": "ms",
    "attribute procedures": "ms",
    "Create to READY event": "ms",
    "Start to COMPLETE event": "ms",
    "Start to COMPLETE event, processor time of the server": "ms",
    "Stop to STOPPED event": "ms",
    "Stop to STOPPED event, SIGTERM ignored": "ms",
    "queue, end of an entry to main of the next": "ms",
    "queue, QueueMove, 300 entries": "ms",
    "queue, reading the attribute, 300 entries": "ms",
    "queue, QueueAdd, 300 entries": "ms",
    "Start, answered, beside a minimal program": "ms",
    "Start to COMPLETE event, beside a minimal program": "ms",
    "POST /procedures, answered": "ms",
    "PUT /procedures/{id}, RUNNING, answered": "ms",
    "GET /procedures": "ms",
    "event, script to Tango client": "ms",
    "event, script to SSE client": "ms",
    "stage of an event: script to message loop": "ms",
    "stage of an event: message loop to bus": "ms",
    "stage of an event: journal": "ms",
    "stage of an event: bus to publisher": "ms",
    "stage of an event: push to client": "ms",
    "burst to Tango client": "/s",
    "burst to SSE client": "/s",
    "burst to 50 SSE clients, each": "/s",
    "burst to Tango client, no sidecar": "/s",
    "server start, 100 procedures": "ms",
    "Create, answered, 100 procedures": "ms",
    "Start, answered, 100 procedures": "ms",
    "GetEvents, newest 100, 100 procedures": "ms",
    "DescribeProcedure, the oldest, 100 procedures": "ms",
    "memory, idle, a server of its own": "MiB",
    "threads, each further controller": "threads",
    "idle, all subarrays, of one processor core": "%",
    "event, all subarrays, script to Tango client": "ms",
    "event, all subarrays, processor time of the server": "ms",
}

WITHOUT_BASELINE = {
    "memory, idle, a server of its own",
    "threads, each further controller",
    "idle, all subarrays, of one processor core",
    *(name for name in FIGURES if name.startswith(("Stop to", "stage of"))),
}

ELSEWHERE = ("sardana", "page")
"""Groups of rows that take a package from PyPI, or a browser; see tests/system."""


pytestmark = pytest.mark.timeout(patience(150))
"""On a machine that is busy with other things; otherwise it takes seconds."""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Run the benchmark, and return what it has written."""
    folder = tmp_path_factory.mktemp("results")
    command = [sys.executable, "-m", "tests.benchmarks", "--quick"]
    command += [argument for group in GROUPS if group not in ELSEWHERE for argument in ("--only", group)]
    command += ["--output", str(folder / "figures.json"), "--markdown", str(folder / "figures.md")]
    with subprocess.Popen(
        command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as benchmark:
        try:
            table, errors = benchmark.communicate(timeout=LONG_PATIENCE)
        except BaseException:
            # All that it has started too: a stack would go on.
            os.killpg(benchmark.pid, signal.SIGTERM)
            raise
    assert benchmark.returncode == 0, table + errors
    document = json.loads((folder / "figures.json").read_text())
    return {**document, "table": table, "markdown": (folder / "figures.md").read_text()}


def test_every_figure_is_measured_beside_its_baseline(results: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in results["rows"]}
    assert {name: row["unit"] for name, row in rows.items() if name in FIGURES} == FIGURES
    for name, row in rows.items():
        sides = [row["measured"]] if name in WITHOUT_BASELINE else [row["measured"], row["baseline"]]
        for side in sides:
            assert side["count"] >= 1
            assert 0 <= side["median"] <= side["p99"] < math.inf, row
        if name not in WITHOUT_BASELINE:
            # A bare device that is idle may use no time at all in a fifth of a second.
            assert row["baseline"]["median"] == 0 if row["ratio"] is None else row["ratio"] > 0, row


def test_it_says_on_what_it_was_measured(results: dict[str, Any]) -> None:
    machine = results["machine"]
    assert machine["cores"] >= 1
    assert {"ska-oso-oet-tango", "pytango", "fastapi", "uvicorn"} <= machine["packages"].keys()
    for text in (results["table"], results["markdown"]):
        assert machine["date"] in text
        assert f"pytango {machine['packages']['pytango']}" in text


def test_the_tables_show_every_figure_and_what_was_to_be_reached(results: dict[str, Any]) -> None:
    for text in (results["table"], results["markdown"]):
        assert [name for name in FIGURES if name not in text] == []
        assert "≥ 2,000 /s" in text
        assert "reached" in text
