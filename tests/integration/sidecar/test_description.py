"""The description of the API is valid, and what is sent is what it says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import validate
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar

from ska_oso_oet.sidecar.settings import API

EXAMPLES = 25


CHECKS: list[Any] = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def api(rest: Sidecar, stack: OetStack) -> Any:
    # Something to look at.
    rest.start(rest.create(stack.uri("burst"), count=1)["id"])
    return schemathesis.openapi.from_url(f"{rest.url}/openapi.json")


@pytest.fixture(scope="module", autouse=True)
def _online_again(rest: Sidecar) -> Iterator[None]:
    before = rest.http.get("/settings").json()
    yield
    # It switches it on again, too, if it is in use and off.
    rest.http.put("/admin_mode", json={"admin_mode": "OFFLINE"})
    rest.http.put("/settings", json=before)


# All but the stream, which does not end.
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{API}/procedures"),
        ("POST", f"{API}/procedures"),
        ("GET", f"{API}/procedures/{{procedure_id}}"),
        ("PUT", f"{API}/procedures/{{procedure_id}}"),
        ("GET", f"{API}/activities"),
        ("POST", f"{API}/activities"),
        ("GET", f"{API}/activities/{{activity_id}}"),
        ("GET", f"{API}/procedures/{{procedure_id}}/output"),
        ("GET", f"{API}/procedures/{{procedure_id}}/files"),
        ("GET", f"{API}/procedures/{{procedure_id}}/files/{{name}}"),
        ("GET", f"{API}/procedures/{{procedure_id}}/environment"),
        ("GET", f"{API}/procedures/{{procedure_id}}/export"),
        ("POST", f"{API}/procedures/{{procedure_id}}/rerun"),
        ("GET", f"{API}/scripts"),
        ("GET", f"{API}/scripts/describe"),
        ("POST", f"{API}/scripts/describe"),
        ("GET", f"{API}/status"),
        ("PUT", f"{API}/admin_mode"),
        ("GET", f"{API}/settings"),
        ("PUT", f"{API}/settings"),
        ("PUT", f"{API}/state"),
        ("POST", f"{API}/reset"),
        ("GET", f"{API}/subarrays"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
    ],
)
def test_whatever_is_asked_for_the_answer_is_as_described(
    api: Any, rest: Sidecar, method: str, path: str
) -> None:
    _ask(api[path][method].as_strategy(), rest)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"{API}/procedures"),
        ("PUT", f"{API}/procedures/{{procedure_id}}"),
        ("POST", f"{API}/activities"),
        ("GET", f"{API}/activities/{{activity_id}}"),
        ("GET", f"{API}/procedures/{{procedure_id}}/output"),
        ("GET", f"{API}/procedures"),
        ("POST", f"{API}/procedures/{{procedure_id}}/rerun"),
        ("PUT", f"{API}/admin_mode"),
        ("PUT", f"{API}/settings"),
        ("PUT", f"{API}/state"),
        ("POST", f"{API}/scripts/describe"),
    ],
)
def test_what_the_description_forbids_is_refused_as_described(
    api: Any, rest: Sidecar, method: str, path: str
) -> None:
    _ask(api[path][method].as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE), rest)


def _ask(requests: Any, rest: Sidecar) -> None:
    @given(case=requests)
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    def ask(case: Any) -> None:
        answer = case.call(base_url=rest.root)
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_the_description_is_valid(http: httpx.Client) -> None:
    description = http.get("/openapi.json").json()
    validate(description)
    assert set(description["paths"]) == {
        "/api/v1.0/procedures",
        "/api/v1.0/procedures/{procedure_id}",
        "/api/v1.0/procedures/{procedure_id}/output",
        "/api/v1.0/procedures/{procedure_id}/files",
        "/api/v1.0/procedures/{procedure_id}/files/{name}",
        "/api/v1.0/procedures/{procedure_id}/environment",
        "/api/v1.0/procedures/{procedure_id}/export",
        "/api/v1.0/procedures/{procedure_id}/rerun",
        "/api/v1.0/sbds",
        "/api/v1.0/scripts",
        "/api/v1.0/scripts/describe",
        "/api/v1.0/queue",
        "/api/v1.0/session",
        "/api/v1.0/subarrays/stream",
        "/api/v1.0/subarrays/snapshot",
        "/api/v1.0/queue/{entry}",
        "/api/v1.0/question",
        "/api/v1.0/context",
        "/api/v1.0/procedures/{procedure_id}/step",
        "/api/v1.0/procedures/{procedure_id}/send",
        "/api/v1.0/status",
        "/api/v1.0/admin_mode",
        "/api/v1.0/settings",
        "/api/v1.0/state",
        "/api/v1.0/reset",
        "/api/v1.0/activities",
        "/api/v1.0/activities/{activity_id}",
        "/api/v1.0/stream",
        "/api/v1.0/subarrays",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    members = description["components"]["schemas"]
    assert members["ErrorBody"]["properties"].items() <= members["Unreadiness"]["properties"].items()
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    model = "Unreadiness" if (path, status) == ("/readyz", "503") else "ErrorBody"
                    body = answer["content"]["application/json"]["schema"]
                    assert body == {"$ref": f"#/components/schemas/{model}"}


def test_the_file_in_the_project_is_what_is_served(http: httpx.Client) -> None:
    served = http.get("/openapi.json").json()
    assert served.pop("servers") == [{"url": "/"}]
    written = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())
    assert [server["url"] for server in written.pop("servers")] == ["/", "/subarrays/{subarray_id}"]
    assert written == served, "openapi.json is out of date: run make interface"


def test_the_page_needs_nothing_from_the_internet(rest: Sidecar) -> None:
    page = rest.http.get("/ui/").text
    links = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(links) >= 2
    for link in links:
        assert link.startswith("/")
        part = patient_http.get(rest.root + link)
        assert (part.status_code, len(part.content) > 100) == (200, True)
    assert f"{httpx.URL(rest.url).path}/openapi.json" in page
