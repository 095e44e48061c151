"""A night is reconstructed from logs, events and metrics alone, and is equal to what was done."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tango
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess
from tests.support.tango_stack import device_server

from ska_oso_oet.sidecar.named_tokens import token_digest

USERS = {"anna": "operator", "carla": "operator", "dora": "operator", "eve": "viewer"}
FAILS = {"script_type": "embedded", "script": "def main(): raise RuntimeError('the dish is frozen')"}
FINAL = ("COMPLETE", "FAILED", "STOPPED")


class Done(NamedTuple):
    """Record of a night: actions, or observations.

    :param requests: who has asked for what, with the number of the procedure where it is about one
    :param ends: final states of procedures
    :param refused: who was refused
    """

    requests: list[tuple[str, str, int | None]]
    ends: dict[int, str]
    refused: list[str]


class Night:
    """A controller and a REST service with users, which log as JSON."""

    def __init__(self, stack: OetStack, server: ServerProcess, rest: Sidecar) -> None:
        self.stack, self.server, self.rest = stack, server, rest
        self.controller = tango.DeviceProxy(stack.device)
        self.done = Done([], {}, [])
        self.lasted: dict[int, float] = {}

    def send(self, user: str, method: str, path: str, body: object, status: int) -> Any:
        headers = {"Authorization": f"Bearer token-of-{user}"}
        answer = self.rest.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    def create(self, user: str, script: object, **arguments: Any) -> int:
        body = {"script": script, "script_args": {"main": {"kwargs": arguments}}}
        pid = int(self.send(user, "POST", "/procedures", body, 201)["procedure"]["id"])
        self.done.requests.append((user, "Create", pid))
        self.rest.wait_for(pid, "READY")
        return pid

    def start(self, user: str, pid: int) -> None:
        self.send(user, "PUT", f"/procedures/{pid}", {"state": "RUNNING"}, 200)
        self.done.requests.append((user, "Start", pid))

    def ends(self, pid: int, state: str) -> None:
        summary = self.rest.wait_for(pid, *FINAL)
        assert summary["state"] == state
        self.done.ends[pid] = state
        states = dict(summary["history"]["process_states"])
        self.lasted[pid] = states[state] - states["RUNNING"]


@pytest.fixture
def night(own_stack: OetStack, tmp_path: Path) -> Iterator[Night]:
    file = tmp_path / "tokens"
    file.touch(0o600)
    lines = (f"{u} {role} sha256:{token_digest(f'token-of-{u}').hex()}\n" for u, role in USERS.items())
    file.write_text("".join(lines))
    form = {"OET_LOG_FORMAT": "json"}
    with ExitStack() as servers:
        server = servers.enter_context(
            device_server(own_stack.tango_host, "oet_devices.server", "01", env=form)
        )
        env = {**form, "OET_TOKENS_FILE": str(file)}
        yield Night(own_stack, server, servers.enter_context(sidecar(own_stack.tango_host, env=env)))


def observe(night: Night) -> None:
    """Do what is done in a night, and record it."""
    burst, hold = ({"script_type": "filesystem", "script_uri": night.stack.uri(n)} for n in ("burst", "hold"))
    good = night.create("anna", burst, count=20)
    night.start("anna", good)
    night.ends(good, "COMPLETE")
    # By Tango, where a program says who uses it.
    _, command = night.controller.Create(json.dumps({"script": FAILS, "requested_by": "bob"}))
    bad = int(command[0].split("_")[1])
    night.done.requests.append(("bob", "Create", bad))
    night.rest.wait_for(bad, "READY")
    night.controller.Start(json.dumps({"pid": bad, "requested_by": "bob"}))
    night.done.requests.append(("bob", "Start", bad))
    night.ends(bad, "FAILED")
    held = night.create("anna", hold)
    night.start("anna", held)
    night.rest.wait_for(held, "RUNNING")
    night.send("carla", "PUT", f"/procedures/{held}", {"state": "STOPPED"}, 200)
    night.done.requests.append(("carla", "Stop", held))
    night.ends(held, "STOPPED")
    night.send("eve", "POST", "/procedures", {"script": burst}, 403)
    night.done.refused.append("eve")
    entry = {"script": burst, "script_args": {"main": {"kwargs": {"count": 1}}}}
    night.send("dora", "POST", "/queue", {"entries": [{"procedure": entry}] * 2}, 201)
    night.send("dora", "PUT", "/queue", {"state": "RUNNING"}, 200)
    night.done.requests.extend([("dora", "QueueAdd", None), ("dora", "QueueStart", None)])
    for pid in (held + 1, held + 2):

        def is_known(pid: int = pid) -> bool:
            return night.rest.http.get(f"/procedures/{pid}").status_code == 200

        wait_until(is_known, f"the queue has created procedure {pid}")
        night.ends(pid, "COMPLETE")


def by_logs(night: Night) -> tuple[Done, dict[int, float]]:
    """Return what the logs say, and how long each ``main`` has taken."""
    device = [json.loads(line) for line in night.server.output.splitlines() if line.startswith("{")]
    service = [json.loads(line) for line in night.rest.process.output.splitlines() if line.startswith("{")]
    requests, ends, lasted = [], {}, {}
    for line in device:
        if line["function"] == "carry_out" and "user" in line:
            requests.append((line["user"], line["message"].split()[0], line.get("procedure")))
        elif line.get("state") in FINAL and line["message"].startswith("Procedure "):
            ends[line["procedure"]] = line["state"]
            duration = re.search(r" after ([\d.]+) s", line["message"])
            assert duration is not None
            lasted[line["procedure"]] = float(duration[1])
    refused = [line["user"] for line in service if line.get("status") == 403]
    return Done(requests, ends, refused), lasted


def by_events(night: Night) -> Done:
    """Return what the events say."""
    requests: list[tuple[str, str, int | None]] = []
    ends: dict[int, str] = {}
    created: list[str] = []
    for event in json.loads(night.controller.GetEvents(json.dumps({"limit": 10_000}))):
        topic, by = event["topic"], event.get("requested_by")
        if topic == "request.procedure.create" and event["msg_src"] == "OETController":
            created.append(by["user"])
        elif topic == "procedure.lifecycle.created" and event["msg_src"] != "Queue":
            result = event["result"]
            if result["queue_entry"] is None:
                requests.append((created.pop(0), "Create", result["id"]))
        elif topic in ("request.procedure.start", "request.procedure.stop") and by is not None:
            requests.append((by["user"], topic.rpartition(".")[2].capitalize(), event["cmd"]["pid"]))
        elif topic == "queue.entry.added" and event["entry_id"] == 1:
            requests.append((by["user"], "QueueAdd", None))
        elif topic == "queue.state" and event["new_state"] == "RUNNING":
            requests.append((by["user"], "QueueStart", None))
        elif topic == "procedure.lifecycle.statechange" and event["new_state"] in FINAL:
            ends[int(event["msg_src"])] = event["new_state"]
    return Done(requests, ends, [])


def test_what_happened_in_a_night_is_known_afterwards(night: Night) -> None:
    observe(night)
    done = night.done

    def last_is_logged() -> bool:
        return by_logs(night)[0].ends == done.ends

    wait_until(last_is_logged, "the last end is logged", seen=lambda: night.server.output)
    logged, lasted = by_logs(night)
    assert logged == done
    assert lasted == {pid: pytest.approx(seconds, abs=0.002) for pid, seconds in night.lasted.items()}

    published = by_events(night)
    assert (published.requests, published.ends) == (done.requests, done.ends)

    figures = night.rest.figures()
    for state in FINAL:
        ended = sum(each == state for each in done.ends.values())
        assert figures[f'oet_procedures_ended_total{{state="{state}"}}'] == ended
    assert figures['oet_procedure_duration_seconds_count{part="main"}'] == len(done.ends)
    total = figures['oet_procedure_duration_seconds_sum{part="main"}']
    assert total == pytest.approx(sum(night.lasted.values()), abs=0.01)
    assert figures['oet_queue_entries_ended_total{state="DONE"}'] == 2
    # One more for the admin mode, which is remembered.
    assert figures["oet_controller_requests_total"] == len(done.requests) + 1
