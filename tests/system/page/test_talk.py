"""Questions of scripts, pauses and steps."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack, assert_accessible


@pytest.fixture(autouse=True)
def _idle(stack: PageStack) -> None:
    stack.stop_all()


def ask(stack: PageStack, text: str, **rest: Any) -> int:
    """Have a script on subarray 2 ask, and return its ID."""
    return stack.start(2, "asks", text=text, rest=rest)


def output(page: Page, procedure: int, text: str) -> None:
    """Show a run, and expect some output of it."""
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    expect(run.get_by_role("region", name="Output of the script")).to_contain_text(text)


def test_a_question_is_seen_in_every_view_and_answered_by_one_press(page: Page, stack: PageStack) -> None:
    page.goto(stack.url)
    expect(page.get_by_role("link", name="2 Nothing runs")).to_be_visible()
    procedure = ask(stack, "Dish 012 stowed?", choices=["yes", "no"], default="no", timeout=3600)
    card = page.get_by_role("listitem").filter(has_text="Subarray 2")
    expect(card).to_contain_text("Dish 012 stowed?")
    expect(page.get_by_role("link", name="2 Asks")).to_be_visible()
    expect(page).to_have_title("? Subarray 2 asks – OET")
    assert_accessible(page)
    page.reload()
    card.get_by_role("link").click()
    question = page.get_by_role("region", name=f"Question of procedure {procedure}")
    expect(question).to_contain_text("default: no")
    expect(question).to_contain_text(re.compile(r"59 min \d\d s left to answer"))
    assert_accessible(page)
    question.get_by_role("button", name="yes").click()
    expect(question).to_be_hidden()
    output(page, procedure, "the answer is 'yes'")


def test_a_number_is_typed_and_one_that_does_not_fit_is_refused(page: Page, stack: PageStack) -> None:
    procedure = ask(stack, "Elevation?", type="float", unit="deg", minimum=15, maximum=85)
    page.goto(f"{stack.url}#/subarrays/2/health")
    question = page.get_by_role("region", name=f"Question of procedure {procedure}")
    field = question.get_by_label("Answer in deg")
    field.fill("5")
    question.get_by_role("button", name="Answer").click()
    expect(page.locator("#messages")).to_contain_text("at least 15 and at most 85")
    field.fill("45.5")
    question.get_by_role("button", name="Answer").click()
    expect(question).to_be_hidden()
    page.goto(f"{stack.url}#/subarrays/2")
    output(page, procedure, "the answer is 45.5")


def test_yes_or_no_and_a_text_with_markup(page: Page, stack: PageStack) -> None:
    page.goto(f"{stack.url}#/subarrays/2")
    procedure = ask(stack, "<b>Wind</b> \u202estrong?", type="bool")
    question = page.get_by_role("region", name=f"Question of procedure {procedure}")
    expect(question).to_contain_text("<b>Wind</b> ‹U+202E›strong?")
    question.get_by_role("button", name="no").click()
    output(page, procedure, "the answer is False")
    procedure = ask(stack, "Name of the target?")
    question = page.get_by_role("region", name=f"Question of procedure {procedure}")
    question.get_by_label("Answer").fill("M 87 <A>")
    question.get_by_role("button", name="Answer").click()
    output(page, procedure, "the answer is 'M 87 <A>'")


def test_a_script_is_paused_at_a_checkpoint_stepped_and_resumed(page: Page, stack: PageStack) -> None:
    procedure = stack.start(1, "steps")
    page.goto(f"{stack.url}#/subarrays/1")
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    label = run.locator(".where .label")
    expect(label).to_contain_text(re.compile(r"scan \d+ of 1000"))
    run.get_by_role("button", name="Pause").click()
    expect(run.locator(".head")).to_contain_text("Paused")
    before = scan_of(label.inner_text())
    run.get_by_role("button", name="Step").click()
    expect(label).to_contain_text(f"scan {before + 1} of 1000")
    expect(run.locator(".head")).to_contain_text("Paused")
    run.get_by_role("button", name="Resume").click()
    expect(run.locator(".head")).to_contain_text("Running")
    expect(label).not_to_contain_text(f"scan {before + 1} of 1000")


def test_a_pause_that_is_not_reached_yet_is_shown_and_can_be_withdrawn(page: Page, stack: PageStack) -> None:
    procedure = stack.start(1, "hold")
    page.goto(f"{stack.url}#/subarrays/1")
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    run.get_by_role("button", name="Pause").click()
    expect(run).to_contain_text("pauses at its next checkpoint")
    page.reload()
    expect(run).to_contain_text("pauses at its next checkpoint")
    run.get_by_role("button", name="Do not pause").click()
    expect(run.get_by_role("button", name="Pause")).to_be_visible()
    with stack.rest(1) as rest:
        assert json.loads(rest.get(f"/procedures/{procedure}").text)["procedure"]["at_checkpoint"] is None


def test_a_stop_can_wait_for_the_next_checkpoint(page: Page, stack: PageStack) -> None:
    procedure = stack.start(1, "steps")
    page.goto(f"{stack.url}#/subarrays/1")
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    expect(run).to_contain_text("scan ")
    run.get_by_role("button", name="Stop", exact=True).click()
    question = page.get_by_role("dialog")
    question.get_by_label("Not now, but at its next checkpoint").check()
    question.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#messages")).to_contain_text(
        f"Procedure {procedure} is stopped at its next checkpoint"
    )
    expect(run.locator(".head")).to_contain_text("Stopped")


def scan_of(label: str) -> int:
    found = re.search(r"scan (\d+) of", label)
    assert found, label
    return int(found[1])
