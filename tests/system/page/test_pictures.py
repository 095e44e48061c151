"""The pictures of the documentation are what the page shows; with OET_SCREENSHOTS=1 they are made again."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack

QUESTION = {"choices": ["yes", "no", "skip the dish"], "default": "no", "timeout": 600}

_GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-control-page.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures go: to the documentation if they are wanted there."""
    return _GUIDE.parent / "pictures" if os.environ.get("OET_SCREENSHOTS") == "1" else tmp_path


def test_the_guide_shows_views_that_there_are(page: Page, stack: PageStack, folder: Path) -> None:
    stack.stop_all()
    run = stack.run(1, "scan", scans=12)
    asking = stack.start(2, "asks", text="Dish 012 does not report STOWED. Is it stowed?", rest=QUESTION)
    stack.run(3, "fails", "FAILED")
    made = set()

    def picture(name: str, view: str, text: str, height: int) -> None:
        page.set_viewport_size({"width": 1200, "height": height})
        page.goto(f"{stack.url}{view}")
        expect(page.locator("main")).to_contain_text(text)
        if name == "run":
            expect(page.get_by_role("img", name="Picture spectrum.png")).to_be_visible()
        page.screenshot(path=folder / f"{name}.png")
        made.add(f"pictures/{name}.png")

    picture("all-subarrays", "#/", "Is it stowed?", 400)
    picture("run", f"#/subarrays/1/runs/{run}", "scan 12 of 12 on Sgr A*", 1000)
    picture("question", "#/subarrays/2", f"asks.py #{asking}", 640)
    assert made == set(re.findall(r"!\[[^\]]+\]\(([^)]+)\)", _GUIDE.read_text()))
    assert all((_GUIDE.parent / each).is_file() for each in made)
