"""The commands in docs/how-to/queue.md do what the page says."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from tests.support.oet_command import OetInProcess
from tests.support.patience import wait_until

from .conftest import FreshStack

_PAGE = (Path(__file__).parents[4] / "docs/how-to/queue.md").read_text()
_LINES = re.findall(r"^\$ oet (.*)$", _PAGE, re.MULTILINE)


def test_a_night_as_the_page_has_it(fresh: FreshStack) -> None:
    invoke = OetInProcess(fresh.url)

    def entries() -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(invoke("queue", "list", "--json").stdout)["entries"]
        return listed

    def waiting() -> list[int]:
        return [entry["id"] for entry in entries() if entry["state"] == "WAITING"]

    typed = iter(_LINES)

    def type_to(line: str) -> str:
        """Type the lines of the page up to this one, and return what that prints."""
        for each in typed:
            done = invoke(*shlex.split(each))
            if each.startswith(line):
                return done.stdout
        raise AssertionError(f"the page has no further line {line}")

    assert "calibration" in type_to("queue list")
    assert waiting() == [1, 2, 3, 4]
    assert "clouds" in type_to("queue describe")
    assert waiting() == [2, 3, 1]
    assert "The queue is RUNNING" in type_to("queue start")
    type_to("queue list")
    type_to("queue stop --now")
    wait_until(lambda: json.loads(invoke("queue", "list", "--json").stdout)["state"] == "STOPPED", "a stop")
    assert "The queue is RUNNING" in type_to("queue start")
    type_to("queue clear")
    assert waiting() == []
    assert next(typed, None) is None
