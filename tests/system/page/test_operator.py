"""A new operator's first night: everything with the page alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.support.operator_page import PageStack

OBSERVES = '''
"""Observe a target, after the operator has agreed."""
import pathlib, time
from ska_oso_oet.interaction import ask, checkpoint

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)

def main(target: str, scans: int = 100000):
    """Observe.

    :param target: name in the catalogue
    :param scans: how many scans
    """
    answer = ask(f"Is the wind low enough for {target}?", choices=["yes", "no"])
    print("the operator says", answer)
    for scan in range(scans):
        checkpoint(f"scan {scan + 1} of {target}")
        if target == "Nowhere":
            pathlib.Path("sky.png").write_bytes(PICTURE)
            raise LookupError("Nowhere is not in the catalogue")
        time.sleep(0.05)
    return target
'''


@pytest.fixture(autouse=True)
def _ready(stack: PageStack) -> Iterator[None]:
    stack.stop_all()
    (stack.scripts / "observes.py").write_text(OBSERVES)
    yield
    with stack.rest(3) as rest:
        rest.put("/queue", json={"state": "STOPPED", "now": True})
        rest.delete("/queue")


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Views of subarray 3").get_by_role("link", name=name).click()


def queue_script(page: Page, target: str) -> None:
    tab(page, "Scripts")
    page.get_by_role("link", name="observes.py").click()
    script = page.get_by_role("region", name="Script observes.py")
    script.get_by_label("target").fill(target)
    script.get_by_role("button", name="Add to the queue").click()
    expect(page.locator("#messages")).to_contain_text("Added to the queue of subarray 3")


def queued(page: Page, text: str) -> Locator:
    return (
        page.get_by_role("list", name="Entries in their order").get_by_role("listitem").filter(has_text=text)
    )


def test_a_new_operator_does_all_of_it_with_the_page(page: Page, stack: PageStack) -> None:
    page.goto(stack.url)
    page.get_by_role("listitem").filter(has_text="Subarray 3").get_by_role("link").first.click()
    # Queue two scripts and an activity.
    queue_script(page, "M 87")
    queue_script(page, "Nowhere")
    tab(page, "Activities")
    page.get_by_label("Scheduling Block").fill("sbd-123")
    page.get_by_label("Activity", exact=True).fill("allocate")
    page.get_by_role("button", name="Add to the queue").click()
    # Put the one that will fail in front.
    tab(page, "Queue")
    order = page.get_by_role("list", name="Entries in their order").get_by_role("listitem")
    expect(order).to_have_count(3)
    queued(page, "Nowhere").get_by_role("button", name="Up").click()
    expect(order.first).to_contain_text("Nowhere")
    page.get_by_role("button", name="Start the queue").click()
    # Answer its question; it fails, and the queue stops.
    page.get_by_role("region", name="Question of procedure").get_by_role("button", name="yes").click()
    expect(page.locator(".queue-head")).to_contain_text("Stopped")
    # Find out why, and look at its picture.
    page.get_by_role("listitem", name="observes.py, Failed").get_by_role("link").click()
    run = page.get_by_role("article")
    expect(run.locator(".reason")).to_have_text("LookupError: Nowhere is not in the catalogue")
    expect(run.get_by_role("img", name="Picture sky.png")).to_be_visible()
    # Run it again with another argument.
    tab(page, "History")
    page.get_by_role("region", name="Runs").get_by_role("link", name="Rerun").first.click()
    script = page.get_by_role("region", name="Script observes.py")
    script.get_by_label("target").fill("Sgr A*")
    script.get_by_role("button", name="Run now").click()
    page.get_by_role("region", name="Question of procedure").get_by_role("button", name="yes").click()
    # Pause it, go on, and stop it with Abort.
    head = run.locator(".head")
    expect(head).to_contain_text("of Sgr A*")
    run.get_by_role("button", name="Pause").click()
    expect(head).to_contain_text("Paused")
    run.get_by_role("button", name="Resume").click()
    expect(head).to_contain_text("Running")
    run.get_by_role("button", name="Stop and abort").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop and abort").click()
    expect(head).to_contain_text("Stopped")
    # What was queued behind the failure is still there.
    tab(page, "Queue")
    expect(queued(page, "M 87")).to_contain_text("Waiting")
    expect(queued(page, "allocate of sbd-123")).to_contain_text("Waiting")
