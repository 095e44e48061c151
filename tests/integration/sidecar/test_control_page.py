"""The files of the control page, and the session of a browser."""

import re
from collections.abc import Iterator

import httpx
import pytest
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import PATIENCE

TOKEN = "open sesame"
PAGE = {"X-OET-Page": "1"}


@pytest.fixture(scope="module")
def guarded(stack: OetStack) -> Iterator[Sidecar]:
    """A sidecar behind an ingress, that shows nothing without its token."""
    env = {"OET_API_TOKEN": TOKEN, "OET_API_PRIVATE": "true"}
    with sidecar(stack.tango_host, "--root-path", "/site/oet", env=env) as running:
        yield running


def links(document: str) -> list[str]:
    return re.findall(r'(?:href|src)="(assets/[^"]+)"', document)


def test_the_page_loads_only_files_of_the_service_and_these_are_kept(rest: Sidecar) -> None:
    with httpx.Client(base_url=f"{rest.root}/", timeout=PATIENCE) as browser:
        document = browser.get("")
        policy = document.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script>|<style|\son\w+=|style=", document.text)
        size = len(document.content)
        for link in links(document.text):
            part = browser.get(link)
            assert part.status_code == 200, link
            assert part.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert part.headers["content-encoding"] == "gzip"
            size += int(part.headers["content-length"])
        assert size < 100_000


def test_a_page_that_is_unchanged_is_not_sent_again(rest: Sidecar) -> None:
    first = patient_http.get(f"{rest.root}/")
    assert first.headers["cache-control"] == "no-cache"
    again = patient_http.get(f"{rest.root}/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = patient_http.get(f"{rest.root}/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == first.text


def test_only_the_files_of_this_version_of_the_page_are_served(rest: Sidecar) -> None:
    folder = links(patient_http.get(f"{rest.root}/").text)[0].rsplit("/", 1)[0]
    for path in (
        f"{folder}/nothing.js",
        f"{folder}/..%2f__init__.py",
        f"{folder}/types.d.ts",
        "assets/0/main.js",
    ):
        answer = patient_http.get(f"{rest.root}/{path}")
        assert (answer.status_code, answer.json()["type"]) == (404, "ResourceNotFound"), path


def test_below_the_number_of_a_subarray_is_the_way_to_its_view(rest: Sidecar) -> None:
    answer = patient_http.get(f"{rest.root}/subarrays/1/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/#/subarrays/1")


def test_the_page_behind_an_ingress_names_its_path_and_needs_no_token(guarded: Sidecar) -> None:
    for path in ("/site/oet", "/site/oet/", "/"):
        document = patient_http.get(f"{guarded.root}{path}").text
        assert '<base href="/site/oet/">' in document
    asset = links(document)[0]
    assert patient_http.get(f"{guarded.root}/site/oet/{asset}").status_code == 200
    assert patient_http.get(f"{guarded.root}/site/oet/api/v1.0/subarrays").status_code == 401


def test_a_browser_logs_in_with_the_token_and_out(guarded: Sidecar, stack: OetStack) -> None:
    base = f"{guarded.root}/site/oet/api/v1.0"
    with httpx.Client(base_url=base, timeout=PATIENCE) as browser:
        assert browser.get("/session").json() == {"role": "none", "user": None, "login": True}
        wrong = browser.post("/session", json={"token": "wrong"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)
        right = browser.post("/session", json={"token": TOKEN})
        assert right.json()["role"] == "operator"
        cookie = right.headers["set-cookie"]
        assert {"HttpOnly", "Path=/site/oet/", "SameSite=strict"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        assert TOKEN not in cookie
        assert browser.get("/session").json()["role"] == "operator"
        assert browser.get("/procedures").status_code == 200
        body = {"script_uri": stack.uri("hold")}
        assert browser.post("/procedures", json=body).status_code == 401
        assert browser.post("/procedures", json=body, headers=PAGE).status_code == 201
        assert browser.delete("/session", headers=PAGE).json()["role"] == "none"
        assert browser.get("/procedures").status_code == 401


def test_over_an_encrypted_connection_the_cookie_is_sent_on_no_other(guarded: Sidecar) -> None:
    answer = guarded.http.post("/session", json={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_where_no_token_is_needed_nobody_logs_in(rest: Sidecar) -> None:
    assert rest.http.get("/session").json() == {"role": "operator", "user": None, "login": False}
    answer = rest.http.post("/session", json={"token": "any"})
    assert (answer.status_code, answer.json()["type"]) == (409, "Conflict")
