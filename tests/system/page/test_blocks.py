"""Scheduling Blocks: they are found by the operator, and their activities are run and queued."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect
from tests.support.operator_page import PageStack, assert_accessible
from tests.support.patience import wait_until


@pytest.fixture(autouse=True)
def _idle(stack: PageStack) -> Iterator[None]:
    clear(stack)
    yield
    clear(stack)


def clear(stack: PageStack) -> None:
    stack.stop_all()
    with stack.rest(1) as rest:
        rest.delete("/queue")


def show(page: Page, stack: PageStack) -> None:
    page.goto(f"{stack.url}#/subarrays/1/activities")


def test_an_activity_is_chosen_from_the_list_run_and_queued(page: Page, stack: PageStack) -> None:
    show(page, stack)
    choice = page.get_by_role("button", name="allocate of sbd-123", exact=True)
    expect(page.locator("oet-blocks")).to_contain_text("version 1")
    choice.focus()
    page.keyboard.press("Enter")
    expect(choice).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Scheduling Block")).to_have_value("sbd-123")
    expect(page.get_by_label("Activity", exact=True)).to_have_value("allocate")
    assert_accessible(page)
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".runs")).to_contain_text("allocate of sbd-123")
    page.get_by_role("button", name="observe of sbd-123").click()
    expect(choice).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Add to the queue").click()
    expect(page.locator("#messages")).to_contain_text("Added to the queue of subarray 1")
    with stack.rest(1) as rest:

        def queued() -> list[str]:
            waiting = [each for each in rest.get("/queue").json()["entries"] if each["state"] == "WAITING"]
            return [each["request"]["activity"]["activity_name"] for each in waiting]

        wait_until(lambda: queued() == ["observe"], "it is in the queue", seen=queued)


def test_the_list_is_searched(page: Page, stack: PageStack) -> None:
    show(page, stack)
    block = page.get_by_role("button", name="allocate of sbd-123", exact=True)
    expect(block).to_be_visible()
    search = page.get_by_label("Search by ID")
    search.fill("no-such")
    expect(page.get_by_text("None found.")).to_be_visible()
    search.fill("D-12")
    expect(block).to_be_visible()
    search.fill("a/b")
    expect(page.locator("oet-blocks")).to_contain_text("query:")
    expect(block).to_be_hidden()


def test_where_the_oda_cannot_list_the_id_is_typed(page: Page, stack: PageStack) -> None:
    def answer(route: Route) -> None:
        found = {"sbds": [], "more": False, "cannot_list": "this ODA has no search"}
        route.fulfill(body=json.dumps(found), content_type="application/json")

    page.route("**/sbds?*", answer)
    show(page, stack)
    expect(page.locator("oet-blocks")).to_contain_text("Reason: this ODA has no search.")
    page.get_by_label("Scheduling Block").fill("sbd-123")
    page.get_by_label("Activity", exact=True).fill("allocate")
    assert_accessible(page)
    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".runs")).to_contain_text("allocate of sbd-123")


def test_a_defective_block_says_what_is_wrong(page: Page, stack: PageStack) -> None:
    folder = next(stack.scripts.parent.glob("state/**/oda/sbd"))
    broken = folder / "sbd-broken" / "3.json"
    broken.parent.mkdir()
    broken.write_text("{")
    try:
        show(page, stack)
        listed = page.locator("oet-blocks li", has_text="sbd-broken")
        expect(listed).to_contain_text("correct it there")
        expect(listed.get_by_role("button")).to_have_count(0)
        expect(page.get_by_role("button", name="allocate of sbd-123", exact=True)).to_be_visible()
    finally:
        broken.unlink()
        broken.parent.rmdir()
