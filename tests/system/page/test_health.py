"""The health of a controller, its mode, and the buttons for both."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.support.operator_page import PageStack, assert_accessible


@pytest.fixture(autouse=True)
def _online(stack: PageStack) -> Iterator[None]:
    stack.stop_all()
    yield
    with stack.rest(3) as rest:
        assert rest.put("/admin_mode", json={"admin_mode": "ONLINE"}).status_code == 200
        assert rest.put("/state", json={"state": "ON"}).status_code == 200


def test_the_mode_is_set_after_one_question(page: Page, stack: PageStack) -> None:
    page.goto(f"{stack.url}#/subarrays/3/health")
    page.get_by_role("button", name="Offline").click()
    question = page.get_by_role("dialog", name="Set mid-oet/controller/03 to offline?")
    expect(question).to_contain_text("Nothing can be created or started. Running scripts continue.")
    assert_accessible(page)
    question.get_by_role("button", name="Cancel").click()
    with stack.rest(3) as rest:
        assert rest.get("/status").json()["admin_mode"] == "ONLINE"
    page.get_by_role("button", name="Offline").click()
    question.get_by_role("button", name="Offline").click()
    expect(page.get_by_role("link", name="3 Offline")).to_be_visible()
    with stack.rest(3) as rest:
        assert rest.get("/status").json()["admin_mode"] == "OFFLINE"
    page.get_by_role("button", name="Online").click()
    page.get_by_role("dialog").get_by_role("button", name="Online").click()
    expect(page.get_by_role("link", name="3 Nothing runs")).to_be_visible()


def test_what_somebody_else_changes_shows_and_a_controller_is_reset_and_switched_on(
    page: Page, stack: PageStack
) -> None:
    page.goto(f"{stack.url}#/subarrays/3/health")
    page.get_by_role("button", name="Reset").click()
    page.get_by_role("dialog", name="Reset mid-oet/controller/03?").get_by_role(
        "button", name="Reset"
    ).click()
    expect(page.locator("#messages")).to_contain_text("mid-oet/controller/03 was reset.")
    with stack.rest(3) as rest:
        assert rest.put("/state", json={"state": "STANDBY"}).status_code == 200
    expect(page.get_by_role("link", name="3 Switched off")).to_be_visible()
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("link", name="3 Nothing runs")).to_be_visible()
