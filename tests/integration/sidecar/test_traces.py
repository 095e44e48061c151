"""Traces of OpenTelemetry: from a request to the REST service to the procedure that it creates."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tango
from tests.support.oet_stack import DEVICE, OetStack, Sidecar, oet_stack, sidecar
from tests.support.otlp_receiver import Collector, ReceivedSpan, collector
from tests.support.patience import PATIENCE, wait_until
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_proxy, device_server

CLIENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

SHOW = """
import os, sys
def main(sb_json=None):
    print("headers", os.environ.get("OTEL_EXPORTER_OTLP_HEADERS"))
    print(os.environ.get("TRACEPARENT"), [name for name in sys.modules if name.startswith("opentelemetry")])
"""
FAIL = "def main(sb_json=None):\n    raise ValueError('the mirror is cold')\n"

Running = tuple[Sidecar, ServerProcess]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    with oet_stack(tmp_path_factory.mktemp("traces")) as made:
        write_scripts(made)
        yield made


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OetStack]:
    """A stack whose programs are run by tests."""
    with oet_stack(tmp_path_factory.mktemp("idle")) as made:
        write_scripts(made)
        yield made


def write_scripts(stack: OetStack) -> None:
    (stack.scripts / "show.py").write_text(SHOW)
    (stack.scripts / "fail.py").write_text(FAIL)
    block = stack.scripts.parent / "oda" / "sbd" / "sbd-1" / "1.json"
    block.parent.mkdir(parents=True)
    activities = {name: {"kind": "filesystem", "path": f"file://{name}.py"} for name in ("show", "fail")}
    block.write_text(json.dumps({"sbd_id": "sbd-1", "activities": activities}))


@contextmanager
def running(stack: OetStack, **env: str) -> Iterator[Running]:
    # Batches are exported often: tests wait for them. They are lost where an answer comes too late.
    batches = {"OTEL_BSP_SCHEDULE_DELAY": "100", "OTEL_EXPORTER_OTLP_TIMEOUT": f"{PATIENCE:g}"}
    variables = {**batches, "ODA_DATA_DIR": str(stack.scripts.parent / "oda"), **env}
    with (
        device_server(stack.tango_host, "oet_devices.server", "01", env=variables) as server,
        sidecar(stack.tango_host, env=variables) as served,
    ):
        yield served, server


@pytest.fixture(scope="module")
def receiver() -> Iterator[Collector]:
    with collector() as running_collector:
        yield running_collector


@pytest.fixture(scope="module")
def served(stack: OetStack, receiver: Collector) -> Iterator[Sidecar]:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20secret",
    }
    with running(stack, **variables) as (found, server):
        receiver.senders = (server, found.process)
        yield found


def run(served: Sidecar, uri: str, *ends: str, **headers: str) -> dict[str, Any]:
    """Create a procedure with some headers, run it, and return its last summary."""
    script = {"script_type": "filesystem", "script_uri": uri}
    answer = served.http.post("/procedures", json={"script": script}, headers=headers)
    assert answer.status_code == 201, answer.text
    number = served.wait_for(answer.json()["procedure"]["id"], "READY")["id"]
    served.start(number)
    return served.wait_for(number, *ends)


def output(served: Sidecar, number: int) -> str:
    return served.http.get(f"/procedures/{number}/output").text


def test_a_trace_goes_from_the_request_through_the_command_to_the_procedure(
    stack: OetStack, served: Sidecar, receiver: Collector
) -> None:
    summary = run(served, stack.uri("show"), "COMPLETE", traceparent=CLIENT)
    procedure = receiver.wait_for("procedure", oet_procedure=summary["id"])
    command = receiver.wait_for("OETController.Create", oet_procedure=summary["id"])
    request = receiver.parent(command)
    assert (request.name, request.service) == ("POST /api/v1.0/procedures", "oet-sidecar")
    assert request.attributes["http.response.status_code"] == 201
    assert (command.service, procedure.parent) == ("OETController", command.id)
    assert {request.trace, command.trace, procedure.trace} == {CLIENT.split("-")[1]}
    assert request.parent == CLIENT.split("-")[2]
    assert request.began <= command.began <= procedure.began < procedure.ended
    assert procedure.events[0] == "CREATING"
    assert procedure.events.index("LOADING") < procedure.events.index("RUNNING")
    assert procedure.events[-1] == "COMPLETE"
    assert not procedure.is_error
    # The script is a part of the procedure.
    assert f"00-{procedure.trace}-{procedure.id}-01" in output(served, summary["id"])
    # And the start has a span below its own request.
    start = receiver.wait_for("OETController.Start", oet_procedure=summary["id"])
    assert receiver.parent(start).name.startswith("PUT /api/v1.0/")
    assert start.trace != command.trace


def test_an_activity_has_a_span_beside_that_of_its_procedure(served: Sidecar, receiver: Collector) -> None:
    for name, state in (("show", "COMPLETE"), ("fail", "FAILED")):
        body = {"activity_name": name, "sbd_id": "sbd-1"}
        answer = served.http.post("/activities", json=body, headers={"traceparent": CLIENT})
        assert answer.status_code == 201, answer.text
        number = answer.json()["activity"]["id"]
        activity = receiver.wait_for("activity", oet_activity=number)
        assert activity.events[0] == "REQUESTED"
        assert activity.events[-1] == activity.attributes["oet.state"] == state
        assert (activity.attributes["oet.sbd"], activity.attributes["oet.activity_name"]) == ("sbd-1", name)
        assert (activity.is_error, "the mirror is cold" in activity.message) == (state == "FAILED",) * 2
        procedure = receiver.wait_for("procedure", oet_procedure=activity.attributes["oet.procedure"])
        command = next(span for span in receiver.spans if span.id == activity.parent)
        assert (command.name, procedure.parent) == ("OETController.RunActivity", command.id)
        assert {activity.trace, procedure.trace, command.trace} == {CLIENT.split("-")[1]}
        assert activity.id != procedure.id
        assert command.began <= activity.began < activity.ended


def test_the_collector_gets_the_headers_that_it_demands_and_scripts_do_not(
    stack: OetStack, served: Sidecar, receiver: Collector
) -> None:
    summary = run(served, stack.uri("show"), "COMPLETE")
    receiver.wait_for("procedure", oet_procedure=summary["id"])
    assert receiver.authorizations == {"Bearer secret"}
    assert "headers None" in output(served, summary["id"])


def test_requests_at_once_keep_their_traces(stack: OetStack, served: Sidecar, receiver: Collector) -> None:
    traces = {}
    for number in range(1, 6):
        header = f"00-{number:032x}-{number:016x}-01"
        script = {"script_type": "filesystem", "script_uri": stack.uri("show")}
        answer = served.http.post("/procedures", json={"script": script}, headers={"traceparent": header})
        traces[answer.json()["procedure"]["id"]] = f"{number:032x}"
    for procedure, trace in traces.items():
        assert receiver.wait_for("OETController.Create", oet_procedure=procedure).trace == trace


def test_a_failure_is_an_error_with_the_telling_line(
    stack: OetStack, served: Sidecar, receiver: Collector
) -> None:
    summary = run(served, stack.uri("fail"), "FAILED")
    procedure = receiver.wait_for("procedure", oet_procedure=summary["id"])
    assert procedure.is_error
    assert "the mirror is cold" in procedure.message


def test_a_refused_command_is_an_error(stack: OetStack, served: Sidecar, receiver: Collector) -> None:
    proxy = device_proxy(stack.tango_host, DEVICE)
    request = {"script": {"script_uri": "file:///nowhere.py"}, "requested_by": {"traceparent": CLIENT}}
    with pytest.raises(tango.DevFailed):
        proxy.Create(json.dumps(request))

    def refused() -> ReceivedSpan | None:
        errors = (span for span in receiver.spans if span.name == "OETController.Create" and span.is_error)
        return next((span for span in errors if "nowhere.py" in span.message), None)

    span = wait_until(refused, "the span of the refused command", seen=lambda: receiver.spans)
    assert span is not None
    assert (span.trace, span.parent) == tuple(CLIENT.split("-")[1:3])


def test_an_invalid_traceparent_is_ignored(stack: OetStack, served: Sidecar, receiver: Collector) -> None:
    summary = run(
        served, stack.uri("show"), "COMPLETE", traceparent="00-" + "0" * 32 + "-00f067aa0ba902b7-01"
    )
    procedure = receiver.wait_for("procedure", oet_procedure=summary["id"])
    assert procedure.trace != "0" * 32
    assert procedure.parent


def test_an_invalid_traceparent_is_not_recorded(served: Sidecar, stack: OetStack) -> None:
    proxy = device_proxy(stack.tango_host, DEVICE)
    by = {"user": "anna", "client": "tmc", "traceparent": "<b>"}
    with pytest.raises(tango.DevFailed):
        proxy.Create(json.dumps({"script": {"script_uri": "file:///elsewhere.py"}, "requested_by": by}))
    events = json.loads(proxy.GetEvents(json.dumps({"topic": "request.procedure.create"})))
    assert "<b>" not in json.dumps(events)


def test_without_the_variable_nothing_of_opentelemetry_is_imported(idle: OetStack) -> None:
    with running(idle, PYTHONPROFILEIMPORTTIME="1") as (served, server):
        summary = run(served, idle.uri("show"), "COMPLETE", traceparent=CLIENT)
        text = output(served, summary["id"])
        by_server, by_sidecar = server.output, served.process.output
    for imported in (by_server, by_sidecar):
        assert "tango._telemetry" in imported
        assert "opentelemetry.sdk" not in imported
        assert "opentelemetry.exporter" not in imported
    # FastAPI imports the API of OpenTelemetry itself.
    assert "opentelemetry" not in by_server
    assert "[]" in text
    # The trace of the client is still passed on.
    assert CLIENT.split("-")[1] in text
    assert summary["requested_by"]["traceparent"] == CLIENT


def test_a_collector_that_never_answers_delays_nothing(idle: OetStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "600"}
        with running(idle, **variables) as (served, server):
            run(served, idle.uri("show"), "COMPLETE")
            for process in (served.process, server):
                # Processes that do not end within seconds are killed.
                process.stop()
                assert process.returncode == 0
