"""Scripts: found, described, run by a form, and run again with other arguments."""

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack, assert_accessible

TYPED = '''
"""Observe a target."""
from typing import Literal

def init(subarray_id: int = 1):
    """Choose the subarray."""

def main(
    target: str, scans: int = 3, band: Literal["1", "2"] = "2", dishes: list[int] = [1], fast: bool = False
):
    """Observe.

    :param target: name in the catalogue
    :param scans: how many scans
    """
    return {"target": target, "scans": scans, "band": band, "dishes": dishes, "fast": fast}
'''


@pytest.fixture(autouse=True)
def _idle(stack: PageStack) -> None:
    stack.stop_all()
    (stack.scripts / "typed.py").write_text(TYPED)


def show(page: Page, stack: PageStack, search: str) -> None:
    page.goto(f"{stack.url}#/subarrays/1/scripts")
    page.get_by_role("searchbox", name="Search scripts").fill(search)
    page.get_by_role("link", name=f"{search}.py").click()


def test_a_form_says_beside_each_field_what_is_wrong_and_runs_the_script(
    page: Page, stack: PageStack
) -> None:
    show(page, stack, "typed")
    script = page.get_by_role("region", name="Script typed.py")
    expect(script).to_contain_text("Observe a target.")
    expect(script).not_to_contain_text(":param")
    main = script.get_by_role("group", name="Run: main")
    expect(main).to_contain_text("name in the catalogue · text")
    assert_accessible(page)

    main.get_by_label("scans").fill("three")
    main.get_by_label("dishes").fill("1, 2")
    script.get_by_role("button", name="Run now").click()
    expect(main.locator(".field", has_text="target")).to_contain_text("This is required.")
    expect(main.locator(".field", has_text="scans")).to_contain_text("Give a whole number.")
    expect(main.locator(".field", has_text="dishes")).to_contain_text("Give a list as JSON")
    expect(main.get_by_label("target")).to_be_focused()
    assert_accessible(page)

    main.get_by_label("target").fill("M 87")
    main.get_by_label("scans").fill("5")
    main.get_by_label("dishes").fill("[1, 2]")
    main.get_by_label("band").select_option("1")
    main.get_by_label("fast").select_option("yes")
    script.get_by_role("button", name="Run now").click()
    run = page.get_by_role("article")
    expect(run).to_contain_text("Complete")
    result = run.get_by_label("Result")
    for part in ('"target": "M 87"', '"scans": 5', '"band": "1"', '"fast": true'):
        expect(result).to_contain_text(part)


def test_a_script_is_prepared_only_and_refused_to_run_beside_another(page: Page, stack: PageStack) -> None:
    stack.start(1, "hold")
    show(page, stack, "prints")
    script = page.get_by_role("region", name="Script prints.py")
    refused = script.get_by_role("button", name="Run now. Not possible: #")
    expect(refused).to_have_attribute("aria-disabled", "true")
    script.get_by_label("lines").fill("3")
    script.get_by_role("button", name="Prepare only").click()
    expect(page.get_by_role("article")).to_contain_text("Ready")


def test_a_run_is_repeated_with_another_argument(page: Page, stack: PageStack) -> None:
    procedure = stack.run(1, "scan", scans=2, target="M 87")
    page.goto(f"{stack.url}#/subarrays/1/history")
    row = page.get_by_role("row", name=f"Compare #{procedure} scan.py")
    row.get_by_role("link", name="Rerun").click()
    script = page.get_by_role("region", name="Script scan.py")
    expect(script).to_contain_text(f"again, as #{procedure}")
    expect(script.get_by_label("target")).to_have_value("M 87")
    script.get_by_label("scans").fill("4")
    script.get_by_role("button", name="Run now").click()
    run = page.get_by_role("article")
    expect(run.get_by_label("Result")).to_contain_text('"scans": 4')
    expect(run.get_by_label("Result")).to_contain_text('"target": "M 87"')
    assert f"runs/{procedure}" not in page.url


def test_runs_are_found_compared_and_saved(page: Page, stack: PageStack) -> None:
    one = stack.run(1, "scan", scans=1)
    other = stack.run(1, "scan", scans=2)
    failed = stack.run(1, "fails", "FAILED")
    page.goto(f"{stack.url}#/subarrays/1/history")
    expect(page.get_by_role("img", name="Runs of the last 3 hours")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("State").select_option("Failed")
    rows = page.get_by_role("region", name="Runs")
    expect(rows).to_contain_text(f"#{failed}")
    expect(rows).not_to_contain_text(f"#{other}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    table = download.value.path().read_text()
    assert f'"{failed}"' in table
    assert "fails.py" in table
    assert "scan.py" not in table

    page.get_by_label("State").select_option("Any")
    page.get_by_label(f"Compare #{one}", exact=True).check()
    page.get_by_label(f"Compare #{other}", exact=True).check()
    page.get_by_role("link", name=f"Compare #{one} and #{other}").click()
    comparison = page.get_by_role("region", name="Comparison")
    expect(comparison.get_by_role("row", name="main: scans 1 2")).to_be_visible()
    expect(comparison).not_to_contain_text("Script")
    page.get_by_label("Show what is the same, too").check()
    expect(comparison).to_contain_text("scan.py")
    assert_accessible(page)
