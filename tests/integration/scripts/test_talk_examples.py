"""The example scripts that talk to an operator, in a terminal without the OET."""

import os
import subprocess
import sys

import pytest
from tests.support.patience import PATIENCE
from tests.support.script_runner import SCRIPTS


def run(name: str, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script as its author does, and type something."""
    command = [sys.executable, "-m", "ska_oso_oet.run", str(SCRIPTS / f"{name}.py"), *arguments]
    return subprocess.run(
        command,
        input=typed,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "arguments", "last"),
    [
        ("checkpoints", ["--scans=2", "--seconds=0"], "scan 2 is done"),
        ("steps", ["--targets=['Vega']", "--seconds=0"], "Vega is observed"),
    ],
)
def test_checkpoints_do_nothing_in_a_terminal(name: str, arguments: list[str], last: str) -> None:
    done = run(name, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == last
    assert done.stderr.rstrip().endswith("[oet] COMPLETE")


def test_questions_are_asked_in_the_terminal() -> None:
    done = run("asks", typed="perhaps\nyes\n90\n20\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "stowed: yes, elevation: 20 deg\n"
    assert "Is dish 012 stowed?\n(give one of yes, no) " in done.stderr
    assert "'perhaps' is not an answer to 'Is dish 012 stowed?': give one of yes, no" in done.stderr
    assert "(give a number in deg, at least 15 and at most 85) [45] " in done.stderr


def test_the_default_counts_where_nobody_types() -> None:
    done = run("asks", typed="no\n")
    assert done.stdout == "stowed: no, elevation: 45 deg\n"


def test_the_context_is_that_of_the_environment() -> None:
    done = run("listens", "--scans=1", "--seconds=0", OET_WAIT_FOR_QA_READY="true")
    assert done.stdout == "operators want scripts to wait for the quality assessment\n", done.stderr
