"""Requesters of create, start and stop: in the summary, in the events, and for people."""

import json
import re
from typing import Any

import tango
from tests.support.oet_command import OetInProcess, table_rows
from tests.support.oet_stack import OetStack, Sidecar


def summary(rest: Sidecar, pid: int) -> dict[str, Any]:
    found: dict[str, Any] = rest.http.get(f"/procedures/{pid}").json()["procedure"]
    return found


def test_who_did_what_is_known_afterwards(invoke: OetInProcess, rest: Sidecar, place: OetStack) -> None:
    invoke("--user=anna", "procedure", "create", place.uri("hold"), "--wait")
    pid = json.loads(invoke("procedure", "list", "--json").stdout)["procedures"][-1]["id"]
    invoke("--user=bob", "procedure", "start", f"--pid={pid}", "--listen=False")
    rest.wait_for(pid, "RUNNING")
    controller = tango.DeviceProxy(place.device)
    controller.Stop(json.dumps({"pid": pid, "requested_by": "carla"}))
    stopped = rest.wait_for(pid, "STOPPED")

    created, started, by_tango = (stopped[each] for each in ("requested_by", "started_by", "stopped_by"))
    assert (created["user"], started["user"], by_tango["user"]) == ("anna", "bob", "carla")
    assert created["client"].startswith("oet/")
    assert created["host"] == "127.0.0.1"
    assert created["via"] == f"process {rest.process.pid} on localhost"
    # It has asked itself.
    assert (by_tango["host"], by_tango["via"]) == ("localhost", None)
    assert json.loads(controller.DescribeProcedure(pid))["stopped_by"] == by_tango

    events = json.loads(controller.GetEvents(json.dumps({"topic": "request.procedure", "limit": 10_000})))
    mine = {each["topic"]: each for each in events if each["cmd"].get("pid") == pid}
    assert mine["request.procedure.start"]["requested_by"] == started
    assert mine["request.procedure.stop"]["requested_by"] == by_tango
    create = [each for each in events if each["topic"].endswith("create")][-1]
    assert create["requested_by"] == created

    described = invoke("procedure", "describe", f"--pid={pid}").stdout
    assert re.search(r"^Created by anna \(oet/\S+ on 127\.0\.0\.1\)$", described, re.MULTILINE)
    assert re.search(r"^Stopped by carla \(process \d+ on localhost\)$", described, re.MULTILINE)
    for listed in (invoke("procedure", "list", "--who"), invoke("procedure", "list", "--limit=1")):
        assert [pid_ for pid_, *_, who in table_rows(listed.stdout) if who == "anna"] == [str(pid)]


def test_a_name_that_no_header_can_hold_is_refused(invoke: OetInProcess) -> None:
    for name in ("", "två", "a\nb"):
        assert "--user" in invoke(f"--user={name}", "status", status=2).stderr
