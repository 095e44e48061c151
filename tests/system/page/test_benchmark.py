"""The figures of the page as ``make bench`` measures them, with hardly any samples: that it works."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.support.benchmarks import ONLY_WITH_BENCHMARKS
from tests.support.patience import LONG_PATIENCE, patience

pytestmark = [pytest.mark.timeout(patience(150)), ONLY_WITH_BENCHMARKS]

FIGURES = {
    "control page, first view after its document",
    "control page, longest task, all subarrays",
    "control page, longest task, one subarray",
    "REST, with 50 open pages",
}


def test_every_figure_of_the_page_is_measured(browser: Browser, tmp_path: Path) -> None:
    assert browser.is_connected()
    file = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--only", "page", "--output", str(file)]
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True, timeout=LONG_PATIENCE)
    rows = {row["name"]: row["measured"]["median"] for row in json.loads(file.read_text())["rows"]}
    assert rows.keys() == FIGURES
    assert rows["control page, first view after its document"] > 0
