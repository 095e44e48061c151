"""The alert rules that ship, by the tool of Prometheus itself."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.support.chart import CHART
from tests.support.patience import PATIENCE

RULES = CHART / "monitoring" / "rules.yaml"
RECORDED = Path(__file__).parent / "monitoring" / "rules_test.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the rules, and with recorded figures."""
    if shutil.which("promtool") is None:
        missing = "promtool is not installed (Debian: prometheus)"
        if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
            pytest.fail(f"{missing}, and OET_REQUIRE_SYSTEM_TESTS=1 demands it")
        pytest.skip(missing)
    for file in (RULES, RECORDED):
        shutil.copy(file, tmp_path)
    return tmp_path


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["promtool", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_the_rules_are_valid_and_fire_on_recorded_figures(folder: Path) -> None:
    for arguments in (("check", "rules", RULES.name), ("test", "rules", RECORDED.name)):
        done = promtool(folder, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested(folder: Path) -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (folder / RULES.name).read_text()))
    assert alerts == set(re.findall(r'alertname="(\w+)"', (folder / RECORDED.name).read_text()))


def test_the_queries_of_the_dashboard_are_valid(folder: Path) -> None:
    dashboard = json.loads((CHART / "monitoring" / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"query_{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(queries)
    ]
    (folder / "queries.yaml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = promtool(folder, "check", "rules", "queries.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
