"""No page of another site uses the service by the browser of somebody who may."""

import re
from collections.abc import Iterator

import pytest
from tests.support.oet_stack import OetStack, Sidecar, sidecar

FOREIGN_ORIGIN = {"Origin": "http://evil.example"}


@pytest.fixture(scope="module")
def exposed(stack: OetStack) -> Iterator[Sidecar]:
    """A sidecar that other machines reach, by two names, without a token."""
    names = ("--allowed-host", "*.site.example", "--allowed-host", "OET.example")
    with sidecar(stack.tango_host, "--host", "0.0.0.0", "--insecure", *names) as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:5000"},
        {"Host": "localhost.evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "192.0.2.1"},
        {"Host": "notsite.example"},
        {"Host": "site.example.evil"},
        {"Host": ""},
        {"Host": 'a"b'},
        FOREIGN_ORIGIN,
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://user@localhost"},
        {"Origin": "file://localhost"},
        {"Host": "a.site.example", **FOREIGN_ORIGIN},
        {"Host": "localhost:5000", "Origin": "http://localhost:8080"},
        {"Host": "oet.example:5000", "Origin": "http://oet.example"},
    ],
)
def test_a_request_in_another_name_is_refused(exposed: Sidecar, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/procedures"), ("POST", "/procedures"), ("GET", "/stream"), ("GET", "/ui")):
        answer = exposed.http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "Forbidden"), headers
        assert "--allowed-host" in answer.json()["Message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost"},
        {"Host": "LOCALHOST.:5000"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.1.2.3"},
        {"Host": "[::1]:5000"},
        {"Host": "oet.example:8080"},
        {"Host": "a.b.site.example"},
        {"Host": "0.0.0.0:5000"},
        {"Host": "localhost:5000", "Origin": "http://localhost:5000"},
        {"Host": "oet.example", "Origin": "https://oet.example"},
        {"X-Forwarded-Host": "oet.example:8443", "Origin": "https://oet.example:8443"},
    ],
)
def test_a_request_in_one_of_its_names_is_answered(exposed: Sidecar, headers: dict[str, str]) -> None:
    assert exposed.http.get("/procedures", headers=headers).status_code == 200


def test_a_page_at_another_port_changes_nothing(rest: Sidecar) -> None:
    """A browser sends a form of it without asking the service first."""
    headers = {"Origin": f"http://127.0.0.1:{rest.port + 1}", "Content-Type": "text/plain"}
    changes = [
        ("POST", "/reset"),
        ("POST", "/procedures"),
        ("PUT", "/queue"),
        ("PUT", "/admin_mode"),
        ("DELETE", "/queue"),
    ]
    for method, path in changes:
        answer = rest.http.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "Forbidden"), path
    own = rest.http.post("/reset", headers={"Origin": rest.root})
    assert own.status_code == 200


def test_a_token_does_not_make_up_for_a_foreign_name(stack: OetStack) -> None:
    with sidecar(stack.tango_host, env={"OET_API_TOKEN": "open sesame"}) as guarded:
        headers = {"Authorization": "Bearer open sesame", "Host": "evil.example"}
        assert guarded.http.get("/procedures", headers=headers).status_code == 403


def test_names_of_the_environment_count_and_a_star_allows_all(stack: OetStack) -> None:
    with sidecar(stack.tango_host, env={"OET_ALLOWED_HOSTS": "tel.example *"}) as rest:
        answer = rest.http.get("/procedures", headers={"Host": "any.example", **FOREIGN_ORIGIN})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/procedures", "/nothing", "/ui", "/openapi.json", "/ui/swagger-ui.css"])
def test_no_answer_may_be_framed_or_guessed(rest: Sidecar, path: str) -> None:
    headers = rest.http.get(path).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_of_the_description_runs_its_own_scripts_only(rest: Sidecar) -> None:
    policy = dict(
        directive.strip().split(" ", 1)
        for directive in rest.http.get("/ui").headers["content-security-policy"].split(";")
    )
    assert re.fullmatch(r"'self' 'sha256-[\w+/]{43}='", policy["script-src"])
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'self'"
