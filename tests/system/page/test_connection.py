"""The page without a connection, and the rights of its users."""

import hashlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect
from tests.support.oet_stack import oet_stack, sidecar
from tests.support.operator_page import PageStack, assert_accessible, page_stack, watched
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess

STOP = re.compile(r"^Stop\b(?! and)")
"""Name of the button, be it followed by the reason why it cannot be used."""


def part(stack: PageStack, module: str) -> psutil.Process:
    """Return the part of a stack that runs a module."""
    children = psutil.Process(stack.process.pid).children(recursive=True)
    return next(child for child in children if module in child.cmdline())


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[PageStack]:
    with page_stack(tmp_path) as running:
        yield running


@pytest.fixture
def own_sidecar(own_stack: PageStack) -> list[str]:
    """What a sidecar of the test's own serves: the address of the Tango database, and the devices."""
    environment = part(own_stack, "ska_oso_oet.sidecar").environ()
    return [environment["TANGO_HOST"], environment["OET_DEVICE"]]


def start_sidecar(where: list[str], port: int = 0, **environment: str) -> tuple[ServerProcess, str]:
    command = [sys.executable, "-m", "ska_oso_oet.sidecar", f"--port={port}"]
    process = ServerProcess(command, {"TANGO_HOST": where[0], "OET_DEVICE": where[1], **environment})
    root = process.wait_for_output(r"REST ready: (http://\S+)/api/v1\.0")[1]
    return process, f"{root}/"


def test_a_lost_service_is_said_at_once_and_resumed_without_a_gap(
    page: Page, own_stack: PageStack, own_sidecar: list[str]
) -> None:
    process, url = start_sidecar(own_sidecar)
    try:
        page.goto(f"{url}#/subarrays/1")
        own_stack.start(1, "sends", seconds=3600, events=20, lines=20)
        events = page.locator("oet-events")
        expect(events).to_contain_text("user.script.announce")
        before = event_numbers(page)
        process.kill()
        expect(page.get_by_role("alert")).to_contain_text("Connection lost.")
        elapsed = page.locator(".head .figures b").first
        frozen = elapsed.inner_text()
        expect(page.get_by_role("alert")).to_contain_text(
            re.compile(r"The values shown are ([3-9]|\d\d) s old")
        )
        assert elapsed.inner_text() == frozen
        expect(page.locator(".tab")).to_have_class("tab stale")
        expect(page.get_by_role("button", name=STOP)).to_have_attribute("aria-disabled", "true")
        assert_accessible(page)
        page.evaluate("window.marked = true")
        # More happens meanwhile than a page that is opened reads of the past.
        own_stack.stop_all()
        procedure = own_stack.run(1, "sends", seconds=0.05, events=12_000, lines=5000)
        # The service that comes back has another version of the page.
        page.route(url, lambda route: route.fulfill(body='<script src="assets/other/main.js"></script>'))
        process, _ = start_sidecar(own_sidecar, int(url.rstrip("/").rpartition(":")[2]))
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(page.get_by_text("The service has a newer version of this page.")).to_be_visible()
        expect(page.get_by_role("article", name=f"Procedure {procedure}")).to_contain_text("Complete")
        assert page.evaluate("window.marked")
        with own_stack.rest(1) as rest:
            written = rest.get(f"/procedures/{procedure}/output", params={"limit": 10_000}).json()["next"]
        expect(page.locator("oet-output .note")).to_have_text(f"{written:,} lines")
        numbers = event_numbers(page)
        assert len(numbers) > 1200
        assert numbers[: len(before)] == before
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    finally:
        process.stop()


def test_a_controller_that_is_gone_is_said_and_shown_again_when_it_is_back(
    page: Page, own_stack: PageStack
) -> None:
    procedure = own_stack.start(2, "hold")
    page.goto(f"{own_stack.url}#/subarrays/2")
    expect(page.get_by_role("article", name=f"Procedure {procedure}")).to_contain_text("Running")
    server = part(own_stack, "oet_devices.server")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        expect(page.get_by_role("alert")).to_contain_text("mid-oet/controller/02 does not answer.")
        expect(page.get_by_role("alert")).to_contain_text("The values shown are")
        expect(page.get_by_role("link", name="2 Unavailable")).to_be_visible()
        expect(page.get_by_role("button", name=STOP)).to_have_attribute(
            "title", "The controller of subarray 2 does not answer."
        )
    finally:
        os.kill(server.pid, signal.SIGCONT)
    expect(page.get_by_role("alert")).to_be_hidden()
    own_stack.stop_all()
    expect(page.get_by_role("article", name=f"Procedure {procedure}")).to_contain_text("Stopped")


def test_without_the_token_one_looks_and_with_it_one_acts(
    browser: Browser, own_stack: PageStack, own_sidecar: list[str], tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(f"ann viewer sha256:{hashlib.sha256(b'ask ann').hexdigest()}\n")
    tokens.chmod(0o600)
    process, url = start_sidecar(own_sidecar, OET_API_TOKEN="open sesame", OET_TOKENS_FILE=str(tokens))
    try:
        procedure = own_stack.create(1, "scan")
        with browser.new_context() as context:
            context.set_default_timeout(1000 * PATIENCE)
            page = context.new_page()
            with watched(page):
                page.goto(f"{url}#/subarrays/1/runs/{procedure}")
                start = page.get_by_role("button", name="Start")
                expect(start).to_have_attribute(
                    "title", "You may look, but not change anything: log in first."
                )
                start.click(force=True)
                expect(page.locator("#messages")).to_contain_text("Start: You may look")
                log_in(page, "wrong")
                expect(page.locator("#messages")).to_contain_text("This is not a token of the service.")
                log_in(page, "ask ann")
                expect(start).to_have_attribute("title", "ann may look, but not change anything.")
                expect(page.get_by_role("button", name="ann", exact=True)).to_be_visible()
                page.get_by_role("button", name="Log out").click()
                log_in(page, "open sesame")
                expect(start).not_to_have_attribute("aria-disabled", "true")
                page.reload()
                start.click()
                expect(page.get_by_role("article")).to_contain_text("Complete")
                assert "open sesame" not in str(context.storage_state())
                assert page.evaluate("document.cookie") == ""
                page.get_by_role("button", name="Log out").click()
                expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    finally:
        process.stop()


def test_a_private_service_shows_nothing_before_the_login(
    page: Page, own_stack: PageStack, own_sidecar: list[str]
) -> None:
    process, url = start_sidecar(own_sidecar, OET_API_TOKEN="open sesame", OET_API_PRIVATE="true")
    try:
        page.goto(url)
        expect(page.get_by_role("alert")).to_contain_text("Log in to see anything.")
        expect(page.get_by_role("listitem")).to_have_count(0)
        log_in(page, "open sesame")
        expect(page.get_by_role("listitem")).to_have_count(3)
        expect(page.get_by_role("alert")).to_be_hidden()
    finally:
        process.stop()


def test_a_controller_that_crashed_shows_what_became_of_its_run(page: Page, tmp_path: Path) -> None:
    with oet_stack(tmp_path) as place, ExitStack() as running:
        crashing = running.enter_context(place.controller())
        rest = running.enter_context(sidecar(place.tango_host))
        procedure = rest.create(place.uri("hold"))["id"]
        rest.start(procedure)
        page.goto(f"{rest.root}/#/subarrays/1")
        run = page.get_by_role("article", name=f"Procedure {procedure}")
        expect(run.locator(".head")).to_contain_text("Running")
        crashing.kill()
        expect(page.get_by_role("alert")).to_contain_text("does not answer.")
        expect(page.locator(".tab")).to_have_class("tab stale")
        running.enter_context(place.controller())
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(run.locator(".head")).to_contain_text("Unknown")
        expect(run.locator(".reason")).not_to_be_empty()
        # It goes on with what happens now.
        rest.create(place.uri("hold"))
        expect(page.locator("oet-now")).to_contain_text("Ready")


def event_numbers(page: Page) -> list[int]:
    """Return the numbers of the events that the page has of subarray 1."""
    script = page.locator("script[type=module]").evaluate("script => script.src")
    numbers: list[int] = page.evaluate(
        """async (url) => {
          const { store } = (await import(url)).modules["store/store.js"];
          return store.subarray(1).events.map((event) => event.seq);
        }""",
        script,
    )
    return numbers


def log_in(page: Page, token: str) -> None:
    page.get_by_role("button", name="Log in", exact=True).click()
    page.get_by_label("Token").fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Log in", exact=True).click()
