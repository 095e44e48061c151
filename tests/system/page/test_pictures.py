"""The pictures of the documentation are what the page shows; with OET_SCREENSHOTS=1 they are made again."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack
from tests.support.site import PROJECT

QUESTION = {"choices": ["yes", "no", "skip the dish"], "default": "no", "timeout": 600}
NIGHT = [
    ("hold", {}, "calibration"),
    ("scan", {"target": "Vega", "scans": 2}, "in front of the clouds"),
    ("scan", {"target": "Deneb"}, "if there is time"),
]
LARGEST = 150_000
"""Bytes that a picture may have: who reads a page, or clones the project, gets all of them."""

_PICTURES = PROJECT / "docs" / "how-to" / "pictures"
_PAGES = [
    PROJECT / "README.md",
    *(PROJECT / "docs").glob("how-to/*.md"),
    *(PROJECT / "docs").glob("tutorials/*.md"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures go: to the documentation if they are wanted there."""
    return _PICTURES if os.environ.get("OET_SCREENSHOTS") == "1" else tmp_path


@pytest.fixture
def night(stack: PageStack) -> Iterator[None]:
    """A queue that runs, in the third subarray."""
    stack.stop_all()
    entries = []
    for script, arguments, note in NIGHT:
        found = {"script_type": "filesystem", "script_uri": (stack.scripts / f"{script}.py").as_uri()}
        request = {"script": found, "script_args": {"main": {"kwargs": arguments}}}
        entries.append({"procedure": request, "note": note})
    stack.run(3, "fails", "FAILED")
    with stack.rest(3) as rest:
        rest.post("/queue", json={"entries": entries}).raise_for_status()
        rest.put("/queue", json={"state": "RUNNING"}).raise_for_status()
        yield
        rest.put("/queue", json={"state": "STOPPED", "now": True})
        rest.delete("/queue")


def test_pages_show_views_that_there_are(page: Page, stack: PageStack, folder: Path, night: None) -> None:
    run = stack.run(1, "scan", scans=12)
    stack.start(1, "scan", scans=4, seconds=60)
    asking = stack.start(2, "asks", text="Dish 012 does not report STOWED. Is it stowed?", rest=QUESTION)
    made = set()

    def picture(name: str, view: str, text: str, height: int) -> None:
        page.set_viewport_size({"width": 1200, "height": height})
        page.goto(f"{stack.url}{view}")
        expect(page.locator("main")).to_contain_text(text)
        if name == "run":
            expect(page.get_by_role("img", name="Picture spectrum.png")).to_be_visible()
        if name == "all-subarrays":
            expect(page.locator("main")).to_contain_text("scan 1 of 4 on Sgr A*")
        page.screenshot(path=folder / f"{name}.png")
        made.add(f"{name}.png")

    picture("all-subarrays", "#/", "Is it stowed?", 400)
    picture("run", f"#/subarrays/1/runs/{run}", "scan 12 of 12 on Sgr A*", 720)
    picture("question", "#/subarrays/2", f"asks.py #{asking}", 500)
    picture("queue", "#/subarrays/3/queue", "in front of the clouds", 640)
    shown = {
        name for each in _PAGES for name in re.findall(r"!\[[^\]]+\]\(\S*pictures/(\S+)\)", each.read_text())
    }
    assert made == shown
    assert all((folder / each).stat().st_size < LARGEST for each in made)
    assert all((_PICTURES / each).stat().st_size < LARGEST for each in made)
