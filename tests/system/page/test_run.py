"""One run: what it does, its output, events, files and result, and how it is stopped."""

import re

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack, assert_accessible
from tests.support.patience import wait_until

HOSTILE = "<script>window.hit=1</script><img src=x onerror=window.hit=1> \u202egnp.exe \x1b[31mred\x07"


@pytest.fixture(autouse=True)
def _idle(stack: PageStack) -> None:
    stack.stop_all()


def show(page: Page, stack: PageStack, subarray: int, procedure: int | None = None) -> None:
    tail = "" if procedure is None else f"/runs/{procedure}"
    page.goto(f"{stack.url}#/subarrays/{subarray}{tail}")


def test_a_run_shows_its_output_events_files_result_and_arguments(page: Page, stack: PageStack) -> None:
    procedure = stack.create(1, "scan", scans=2, target="M 87")
    show(page, stack, 1)
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    expect(run).to_contain_text("Ready")
    run.get_by_role("button", name="Start").click()
    expect(run).to_contain_text("Complete")
    expect(run.get_by_role("region", name="Output of the script")).to_contain_text("scan 2 of 2 on M 87")
    expect(run.get_by_role("region", name="Events")).to_contain_text("procedure.lifecycle.complete")
    expect(run.get_by_role("link", name="notes.txt")).to_be_visible()
    picture = run.get_by_role("img", name="Picture spectrum.png")
    wait_until(lambda: picture.evaluate("image => image.naturalWidth") == 480, "the picture is loaded")
    expect(run.get_by_label("Result")).to_contain_text('"target": "M 87"')
    expect(run.locator(".arguments")).to_contain_text("M 87")
    with page.expect_download() as download:
        run.get_by_role("link", name="Save everything of this run").click()
    assert download.value.suggested_filename == f"procedure-{procedure}.zip"


def test_a_failure_says_first_what_went_wrong(page: Page, stack: PageStack) -> None:
    procedure = stack.run(1, "fails", "FAILED")
    show(page, stack, 1)
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    expect(run.locator(".reason")).to_have_text("RuntimeError: Dish 012 is stuck")
    expect(run.get_by_label("Stack trace")).to_be_hidden()
    run.get_by_text("Stack trace", exact=True).click()
    expect(run.get_by_label("Stack trace")).to_contain_text('raise RuntimeError(f"{antenna} is stuck")')
    assert_accessible(page)


def test_a_stop_names_its_object_and_asks_once(page: Page, stack: PageStack) -> None:
    procedure = stack.start(2, "hold")
    show(page, stack, 2)
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    expect(run).to_contain_text("Running")
    run.get_by_role("button", name="Stop", exact=True).click()
    question = page.get_by_role("dialog", name=f"Stop #{procedure} hold.py on subarray 2?")
    expect(question).to_contain_text("The script is interrupted where it is.")
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    stack.wait_for(2, procedure, "RUNNING")
    run.get_by_role("button", name="Stop", exact=True).click()
    question.get_by_role("button", name="Stop", exact=True).click()
    expect(run).to_contain_text("Stopped")
    expect(page.locator("#messages")).to_contain_text(f"Successfully stopped script with ID {procedure}")


def test_stop_and_abort_says_what_it_will_do_and_that_abort_failed(page: Page, stack: PageStack) -> None:
    procedure = stack.start(3, "hold")
    show(page, stack, 3)
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    run.get_by_role("button", name="Stop and abort").click()
    question = page.get_by_role("dialog", name=re.compile(f"Stop #{procedure} .*, and abort subarray 3"))
    expect(question).to_contain_text("Then the abort script sends Abort to subarray 3")
    question.get_by_role("button", name="Stop and abort").click()
    # There is no subarray in this control system.
    message = page.locator("#messages")
    expect(message).to_contain_text(f"#{procedure} was stopped, and Abort failed: ")
    expect(message).to_contain_text("knows neither ska_mid/tm_subarray_node/3")


def test_hostile_texts_stay_texts_and_show_what_cannot_be_seen(page: Page, stack: PageStack) -> None:
    procedure = stack.run(1, "says", "FAILED", text=HOSTILE)
    show(page, stack, 1)
    run = page.get_by_role("article", name=f"Procedure {procedure}")
    shown = "<script>window.hit=1</script><img src=x onerror=window.hit=1> ‹U+202E›gnp.exe ␛[31mred␇"
    expect(run.get_by_role("region", name="Output of the script")).to_contain_text(shown)
    expect(run.get_by_role("region", name="Events")).to_contain_text(f"user.script.announce{shown}")
    expect(run.locator(".reason")).to_contain_text(shown)
    expect(run.locator(".where")).to_contain_text(shown)
    expect(run.locator(".arguments")).to_contain_text(shown)
    page.goto(stack.url)
    expect(page.get_by_role("listitem").filter(has_text="Subarray 1")).to_contain_text("says.py")
    assert page.evaluate("window.hit") is None
    assert page.locator("main img, main script").count() == 0


def test_long_output_is_followed_held_searched_and_copied(page: Page, stack: PageStack) -> None:
    lines = 100_000
    procedure = stack.run(1, "prints", lines=lines)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, stack, 1, procedure)
    output = page.locator("oet-output")
    log = output.get_by_role("region")
    expect(output).to_contain_text(f"{lines:,} lines")
    expect(log).to_contain_text(f"line {lines - 1} of the output")
    assert log.locator("div > div").count() < 200
    log.evaluate("log => { log.scrollTop = 0; }")
    expect(log).to_contain_text("line 0 of the output")
    expect(output.get_by_role("button", name="Follow")).to_have_attribute("aria-pressed", "true")
    output.get_by_role("button", name="Follow").click()
    expect(log).to_contain_text(f"line {lines - 1} of the output")
    page.keyboard.press("/")
    page.keyboard.type("LINE 4711 ")
    expect(output).to_contain_text("1 of 1")
    expect(log).to_contain_text("line 4711 of the output")
    output.get_by_role("button", name="Copy").click()
    expect(page.locator("#messages")).to_contain_text(f"{lines:,} lines copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert len(copied.splitlines()) == lines


def test_events_are_filtered_by_topic_and_text(page: Page, stack: PageStack) -> None:
    procedure = stack.run(1, "scan", scans=5)
    show(page, stack, 1, procedure)
    events = page.locator("oet-events")
    expect(events).to_contain_text("user.script.progress")
    events.get_by_role("searchbox").fill("scan 4 of")
    expect(events.get_by_role("status")).to_contain_text("1 event of")
    expect(events.locator(".topic:visible")).to_have_text("user.script.progress")
