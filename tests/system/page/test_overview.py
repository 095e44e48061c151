"""All subarrays at a glance."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack, assert_accessible

TABS = [f"#/subarrays/1{tab}" for tab in ("", "/queue", "/scripts", "/activities", "/history", "/health")]


@pytest.fixture(autouse=True)
def _idle(stack: PageStack) -> None:
    stack.stop_all()


def test_each_subarray_shows_what_runs_and_how_far_it_is(page: Page, stack: PageStack) -> None:
    procedure = stack.start(2, "scan", scans=4, seconds=60)
    page.goto(stack.url)
    card = page.get_by_role("listitem").filter(has_text="Subarray 2")
    expect(card).to_contain_text("Running")
    expect(card).to_contain_text(f"scan.py #{procedure}")
    expect(card).to_contain_text("scan 1 of 4 on Sgr A*")
    expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
    expect(card).to_contain_text(re.compile(r"about \d+ (min|s).* left"))
    expect(page.get_by_role("listitem").filter(has_text="Subarray 3")).to_contain_text("Nothing runs")
    # What happens now shows without a reload.
    stack.stop_all()
    expect(card).to_contain_text("Stopped")
    expect(card).to_contain_text("Nothing runs")


def test_one_key_or_one_click_shows_one_subarray(page: Page, stack: PageStack) -> None:
    page.goto(stack.url)
    page.get_by_role("link", name="Subarray 3", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Subarray 3")
    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Subarray 2")
    page.keyboard.press("]")
    queue = page.get_by_role("navigation", name="Views of subarray 2").get_by_text("Queue")
    expect(queue).to_have_attribute("aria-current", "page")
    page.keyboard.press("w")
    expect(page.locator("html")).to_have_class("wall")
    page.keyboard.press("0")
    expect(page.get_by_role("heading", level=1)).to_have_text("All subarrays")


def test_everything_is_stopped_by_one_button_that_names_it(page: Page, stack: PageStack) -> None:
    runs = {subarray: stack.start(subarray, "hold") for subarray in (1, 3)}
    page.goto(stack.url)
    page.get_by_role("button", name="Stop and abort all").click()
    question = page.get_by_role("dialog", name="Stop and abort the scripts of 2 subarrays?")
    for subarray, procedure in runs.items():
        expect(question).to_contain_text(f"Subarray {subarray}: #{procedure} hold.py")
    assert_accessible(page)
    question.get_by_role("button", name="Stop and abort all").click()
    for subarray, procedure in runs.items():
        stack.wait_for(subarray, procedure, "STOPPED")
    # There are no subarrays in this control system: that Abort was not sent is said of each.
    message = page.locator("#messages")
    expect(message).to_contain_text("knows neither ska_mid/tm_subarray_node/1")
    expect(message).to_contain_text("knows neither ska_mid/tm_subarray_node/3")
    expect(page.get_by_role("button", name="Stop and abort all")).to_be_hidden()


def test_shortcuts_can_be_switched_off_and_the_name_of_the_operator_is_recorded(
    page: Page, stack: PageStack
) -> None:
    page.goto(stack.url)
    page.keyboard.press("?")
    page.get_by_label("Your name").fill("Zoë")
    page.get_by_label("Use single keys as shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()
    page.keyboard.press("2")
    expect(page.get_by_role("heading", level=1)).to_have_text("All subarrays")
    procedure = stack.create(1, "scan")
    page.goto(f"{stack.url}#/subarrays/1/runs/{procedure}")
    page.get_by_role("button", name="Start").click()
    stack.wait_for(1, procedure, "COMPLETE")
    expect(page.get_by_role("button", name="Zoë")).to_be_visible()


@pytest.mark.parametrize("view", ["", "#/wall", *TABS, "#/nowhere"])
def test_every_view_is_accessible_by_day_and_by_night(page: Page, stack: PageStack, view: str) -> None:
    stack.run(1, "scan")
    stack.start(2, "scan", scans=4, seconds=60)
    stack.run(3, "fails", "FAILED")
    page.emulate_media(color_scheme="light")
    page.goto(f"{stack.url}{view}")
    expect(page.get_by_role("link", name="2 Running")).to_be_visible()
    if "subarrays" in view:
        expect(page.get_by_role("heading", level=1)).to_have_text("Subarray 1")
        expect(page.locator(".tab .card, .tab .empty").first).to_be_visible()
    assert_accessible(page)
    page.emulate_media(color_scheme="dark")
    assert_accessible(page)


@pytest.mark.parametrize("view", ["", *TABS])
def test_a_phone_shows_everything_without_scrolling_sideways(page: Page, stack: PageStack, view: str) -> None:
    stack.run(1, "scan")
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{stack.url}{view}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("link", name="1 Nothing runs")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 360


def test_the_first_view_transfers_less_than_100_kilobytes_and_other_views_come_when_they_are_needed(
    page: Page, stack: PageStack
) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(stack.url)
    expect(page.get_by_text("Healthy")).to_have_count(3)
    # Of the page itself: how much there is to say of the subarrays depends on what has run.
    own = "performance.getEntries().filter((entry) => !entry.name.includes('/api/'))"
    assert (
        30_000 < page.evaluate(f"{own}.reduce((sum, entry) => sum + (entry.transferSize || 0), 0)") < 100_000
    )
    assert not [url for url in loaded if url.endswith("views/others.js")]
    # Each request is a round trip, and browsers have six connections.
    assert sorted(re.sub(r".*/(?=[^/]*$)", "", url.partition("?")[0]) for url in loaded) == [
        "",
        "icon.svg",
        "main.js",
        "page.css",
        "session",
        "snapshot",
        "stream",
    ]
    page.keyboard.press("1")
    page.get_by_role("link", name="Queue", exact=True).click()
    expect(page.locator("oet-queue")).to_be_visible()
