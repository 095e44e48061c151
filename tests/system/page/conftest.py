"""The control page in a real browser, on a real stack with three subarrays.

Where Chromium is not installed, these tests skip; with OET_REQUIRE_SYSTEM_TESTS=1 they fail instead.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.support.operator_page import PageStack, page_stack, watched
from tests.support.patience import PATIENCE


def _chromium() -> str:
    path = shutil.which("chromium")
    if path is None:
        missing = "Chromium is not installed (Debian's package chromium)"
        if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
            pytest.fail(f"{missing}, and OET_REQUIRE_SYSTEM_TESTS=1 demands it")
        pytest.skip(missing)
    return path


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for all tests of this folder: each has a profile of its own in it."""
    chromium = _chromium()
    with sync_playwright() as playwright:
        expect.set_options(timeout=1000 * PATIENCE)
        # Root, as whom CI runs, has no sandbox; pages come from this test alone.
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="package")
def stack(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageStack]:
    """Three subarrays. Those who look for a browser first start nothing where there is none."""
    with page_stack(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, stack: PageStack) -> Iterator[Page]:
    """A page that is not loaded yet. What it reports as an error fails the test."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(1000 * PATIENCE)
        page = context.new_page()
        with watched(page):
            yield page
