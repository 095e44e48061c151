"""What those who run the service see of it."""

import re

import httpx
from tests.support.oet_stack import OetStack, Sidecar


def _figures(rest: Sidecar) -> dict[str, float]:
    text = httpx.get(f"{rest.root}/metrics").text
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, re.MULTILINE)}


def test_probes(rest: Sidecar) -> None:
    for probe in ("healthz", "readyz", "healthz/", "readyz/"):
        assert httpx.get(f"{rest.root}/{probe}").status_code == 200


def test_figures_tell_what_goes_on(rest: Sidecar, stack: OetStack) -> None:
    before = _figures(rest)
    rest.create(stack.uri("hold"))
    after = _figures(rest)
    assert after["oet_controller_up"] == 1
    assert after['oet_procedures{state="READY"}'] == before['oet_procedures{state="READY"}'] + 1
    assert after["oet_events_total"] >= before["oet_events_total"] + 5
    call = 'oet_tango_call_seconds_count{call="Create"}'
    assert after[call] == before.get(call, 0) + 1
    assert rest.http.post("/procedures", json={"script_uri": "file:///etc/passwd"}).status_code == 400
    assert any("InvalidRequestError" in name for name in _figures(rest))
