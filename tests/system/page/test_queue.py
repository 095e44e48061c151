"""The queue: entries are added, put into order, changed, run and removed."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.support.operator_page import PageStack, assert_accessible
from tests.support.patience import wait_until


@pytest.fixture(autouse=True)
def _empty(stack: PageStack) -> Iterator[None]:
    stack.stop_all()
    clear(stack)
    yield
    clear(stack)


def clear(stack: PageStack) -> None:
    with stack.rest(1) as rest:
        rest.put("/queue", json={"state": "STOPPED", "now": True})
        wait_until(lambda: rest.get("/queue").json()["state"] == "STOPPED", "the queue is stopped")
        rest.delete("/queue")


def add(stack: PageStack, script: str, **arguments: object) -> int:
    """Add a script to the queue of the first subarray, and return the ID of the entry."""
    found = {"script_type": "filesystem", "script_uri": (stack.scripts / f"{script}.py").as_uri()}
    request = {"procedure": {"script": found, "script_args": {"main": {"kwargs": arguments}}}}
    with stack.rest(1) as rest:
        answer = rest.post("/queue", json=request)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["entries"][0]["id"])


def waiting(stack: PageStack) -> list[int]:
    """Return the entries that wait, in their order, as the controller has them."""
    with stack.rest(1) as rest:
        entries = rest.get("/queue").json()["entries"]
    return [entry["id"] for entry in entries if entry["state"] == "WAITING"]


def entry(page: Page, number: int) -> Locator:
    return page.get_by_role("listitem", name=f"Entry {number}:")


def show(page: Page, stack: PageStack) -> None:
    page.goto(f"{stack.url}#/subarrays/1/queue")


def test_entries_are_added_by_forms(page: Page, stack: PageStack) -> None:
    page.goto(f"{stack.url}#/subarrays/1/scripts")
    page.get_by_role("link", name="scan.py").click()
    script = page.get_by_role("region", name="Script scan.py")
    script.get_by_label("scans").fill("2")
    script.get_by_text("Options for the queue").click()
    script.get_by_label("Note").fill("after midnight")
    script.get_by_label("How many times").fill("3")
    script.get_by_role("button", name="Add to the queue").click()
    expect(page.locator("#messages")).to_contain_text("Added to the queue of subarray 1 as entry")
    page.get_by_role("link", name="Activities").click()
    page.get_by_label("Scheduling Block").fill("sbd-123")
    page.get_by_role("button", name="Add to the queue").click()
    expect(page.get_by_role("alert").filter(has_text="Give the name of the activity.")).to_be_visible()
    page.get_by_label("Activity", exact=True).fill("allocate")
    page.get_by_role("button", name="Add to the queue").click()
    page.get_by_role("link", name="Queue").click()
    one, other = waiting(stack)
    expect(entry(page, one)).to_contain_text("scan.py scans=2")
    expect(entry(page, one)).to_contain_text("after midnight")
    expect(entry(page, one)).to_contain_text("3 times")
    expect(entry(page, other)).to_contain_text("allocate of sbd-123")
    assert_accessible(page)


def test_entries_are_moved_by_buttons_keys_and_dragging(page: Page, stack: PageStack) -> None:
    one, two, three = (add(stack, "scan", scans=number) for number in (1, 2, 3))
    show(page, stack)
    order = page.get_by_role("list", name="Entries in their order").get_by_role("listitem")
    entry(page, two).get_by_role("button", name="Up").click()
    wait_until(lambda: waiting(stack) == [two, one, three], "it is moved by a button")
    expect(order.first).to_contain_text("scans=2")
    entry(page, two).focus()
    page.keyboard.press("Alt+ArrowDown")
    wait_until(lambda: waiting(stack) == [one, two, three], "it is moved by a key")
    expect(order.nth(1)).to_contain_text("scans=2")
    expect(entry(page, two)).to_be_focused()
    entry(page, three).drag_to(entry(page, one))
    wait_until(lambda: waiting(stack) == [three, one, two], "it is moved by dragging")
    expect(order.first).to_contain_text("scans=3")
    first = entry(page, three).get_by_role("button", name="Up. Not possible")
    expect(first).to_have_attribute("aria-disabled", "true")


def test_an_entry_is_edited_and_removed(page: Page, stack: PageStack) -> None:
    number, other = add(stack, "scan", scans=2, target="M 87"), add(stack, "scan")
    show(page, stack)
    entry(page, number).get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("target")).to_have_value("M 87")
    assert_accessible(page)
    dialog.get_by_label("scans").fill("many")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("Give a whole number.")
    dialog.get_by_label("scans").fill("7")
    dialog.get_by_label("Note").fill("seven")
    dialog.get_by_label("Not before (UTC)").fill("2099-01-02T03:04:05")
    dialog.get_by_role("button", name="Save").click()
    expect(entry(page, number)).to_contain_text('scans=7, target="M 87"')
    expect(entry(page, number)).to_contain_text("not before 2099-01-02 03:04:05")
    with stack.rest(1) as rest:
        [changed] = [each for each in rest.get("/queue").json()["entries"] if each["id"] == number]
    assert changed["request"]["note"] == "seven"
    entry(page, other).get_by_role("button", name="Remove").click()
    expect(entry(page, other)).to_be_hidden()
    assert waiting(stack) == [number]


def test_the_queue_is_started_and_stops_with_the_reason_of_a_failure(page: Page, stack: PageStack) -> None:
    done, failed, left = add(stack, "scan", scans=1), add(stack, "fails"), add(stack, "scan", scans=2)
    show(page, stack)
    page.get_by_role("button", name="Start the queue").click()
    head = page.locator(".queue-head")
    expect(head).to_contain_text("Stopped")
    expect(head).to_contain_text("Dish 012 is stuck")
    expect(entry(page, done)).to_contain_text("Done")
    expect(entry(page, failed)).to_contain_text("Failed")
    assert waiting(stack) == [left]
    expect(entry(page, left)).to_contain_text("median of")
    page.get_by_role("button", name="Remove all").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove all").click()
    expect(page.get_by_text("The queue is empty.")).to_be_visible()
    assert json.dumps(waiting(stack)) == "[]"
