"""Sixteen controllers on four hosts: one host is cut off, and the server of another is killed."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psutil
import pytest
import tango
from tests.support.hosts import Host, NoNamespacesError
from tests.support.patience import LONG_PATIENCE, patience, wait_until
from tests.support.tango_stack import device_proxy, register

from ..conftest import require
from .site import Site, device, running_site
from .watchers import Watcher, wait_for_more, watching

COUNTS = """
import pathlib, time
from pubsub import pub

def main(end):
    n = 0
    while not pathlib.Path(end).exists():
        pub.sendMessage("user.script.count", n=n)
        n += 1
        time.sleep(0.1)
    print(n)
"""
TOPIC = "user.script.count"
_SHORTEST_LIFE = 80.0
"""Seconds that a server must have lived if the Starter is to start it again: a minute, once it answers."""

pytestmark = pytest.mark.timeout(patience(400))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require("Starter")
    try:
        with running_site(tmp_path_factory.mktemp("hosts")) as site, started_by_a_starter(site):
            wait_until(lambda: not site.unavailable(), "all controllers are served")
            yield site
    except NoNamespacesError as error:
        pytest.skip(f"no hosts: {error}")


@pytest.fixture(scope="module")
def watchers(site: Site) -> Iterator[dict[int, Watcher]]:
    host = site.gateway.root.removeprefix("http://").partition(":")[0]
    with watching(host, site.gateway.port, site.all_subarrays) as watchers:
        yield watchers


@contextmanager
def started_by_a_starter(site: Site) -> Iterator[None]:
    """Have a Starter run the server of the last host as long as the context lasts.

    It starts the server again if that has ended after a minute or more.
    """
    host = site.hosts[-1]
    starter, server = f"tango/admin/{host.name}", f"OETController/{host.name}"
    properties = {
        "StartDsPath": [str(Path(sys.executable).parent)],
        "LogFileHome": [str(site.state)],
        "AutoRestartDuration": ["1"],
    }
    register(site.system.tango_host, f"Starter/{host.name}", "Starter", starter, properties)
    info = tango.DbServerInfo()
    info.name, info.host, info.mode, info.level = server, host.name, 1, 1
    site.system.database.put_server_info(info)
    endpoint = f"giop:tcp:{host.address}:"
    options = (host.name, "-ORBendPoint", f"{endpoint}0")
    process = site.system.run(
        "Starter", *options, environment={"ORBendPoint": endpoint}, within=host.command()
    )
    try:
        proxy = device_proxy(site.system.tango_host, starter)
        proxy.command_inout("DevStart", server)
        yield
        proxy.command_inout("DevStop", server)
        wait_until(lambda: not _alive(_pid(site, host)), f"{server} has ended")
    finally:
        process.stop()


def _pid(site: Site, host: Host) -> int:
    return int(site.system.database.get_device_info(device(site.subarrays(host)[0])).pid)


def _age(pid: int) -> float:
    return time.time() - psutil.Process(pid).create_time()


def _alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def begin(site: Site, numbers: list[int], end: Path) -> dict[int, int]:
    """Have controllers run a script that counts until a file exists, and return the IDs of the procedures."""
    script = {"script_type": "embedded", "script": COUNTS}
    arguments = {"main": {"args": [str(end)]}}
    procedures = {}
    for number in numbers:
        body = {"script": script, "script_args": arguments}
        answer = site.request("POST", number, "/procedures", body)
        assert answer.status_code == 201, answer.text
        procedures[number] = answer.json()["procedure"]["id"]
    for number, pid in procedures.items():
        wait_until(partial(_is, site, number, pid, "READY"), f"{pid} of {number} is READY")
        answer = site.request("PUT", number, f"/procedures/{pid}", {"state": "RUNNING"})
        assert answer.status_code == 200, answer.text
    return procedures


def _is(site: Site, number: int, pid: int, expected: str) -> bool:
    return state(site, number, pid) == expected


def state(site: Site, number: int, pid: int) -> str:
    """Return the state of a procedure."""
    return str(site.request("GET", number, f"/procedures/{pid}").json()["procedure"]["state"])


def check_that_it_ran_once(site: Site, watcher: Watcher, number: int, pid: int) -> None:
    """Check that a procedure ran once, and that gateway and device have each of its events once."""
    wait_until(lambda: state(site, number, pid) == "COMPLETE", f"{pid} of {number} is COMPLETE")
    lines = json.loads(site.controller(number).GetOutput(json.dumps({"pid": pid})))["lines"]
    counted = list(range(int(lines[-1])))
    kept = json.loads(site.controller(number).GetEvents(json.dumps({"after": 0, "limit": 10_000})))
    assert [
        event["n"] for event in kept if event["topic"] == TOPIC and event["msg_src"] == str(pid)
    ] == counted
    running = [event for event in kept if event["topic"] == "procedure.lifecycle.started"]
    assert [event["msg_src"] for event in running].count(str(pid)) == 1
    wait_until(lambda: watcher.ids[-1] >= kept[-1]["seq"], f"all events of {number} have arrived")
    assert watcher.ids[: len(kept)] == [event["seq"] for event in kept]


def test_a_host_that_is_cut_off_harms_no_other_and_loses_nothing(
    site: Site, watchers: dict[int, Watcher], tmp_path: Path
) -> None:
    away = site.hosts[1]
    others = [number for number in site.all_subarrays if number not in site.subarrays(away)]
    end = tmp_path / "end"
    procedures = begin(site, site.all_subarrays, end)
    wait_for_more(watchers.values(), TOPIC, 3)

    began = datetime.now(UTC)
    with site.network.cut_off(away):
        wait_until(
            lambda: set(site.unavailable()) == set(site.subarrays(away)), "its controllers are unavailable"
        )
        for number, listed in site.unavailable().items():
            assert device(number) in str(listed["reason"])
            assert began < datetime.fromisoformat(str(listed["unavailable_since"])) < datetime.now(UTC)
        assert site.request("GET", site.subarrays(away)[0], "/procedures").status_code in (503, 504)
        counted = {number: len(watchers[number].numbers(TOPIC)) for number in site.subarrays(away)}
        for number in others:
            sent = time.monotonic()
            assert state(site, number, procedures[number]) == "RUNNING"
            assert time.monotonic() - sent < patience(2.0)
        # Longer than Tango takes to notice that it does not hear from a server.
        wait_for_more([watchers[number] for number in others], TOPIC, 120)
        assert counted == {number: len(watchers[number].numbers(TOPIC)) for number in site.subarrays(away)}

    wait_until(lambda: not site.unavailable(), "all controllers are served again")
    wait_for_more([watchers[number] for number in site.subarrays(away)], TOPIC, 3)
    end.touch()
    for number, pid in procedures.items():
        check_that_it_ran_once(site, watchers[number], number, pid)


def test_a_starter_restarts_a_server_that_was_killed(
    site: Site, watchers: dict[int, Watcher], tmp_path: Path
) -> None:
    host = site.hosts[-1]
    others = [number for number in site.all_subarrays if number not in site.subarrays(host)]
    end = tmp_path / "end"
    procedures = begin(site, site.all_subarrays, end)
    wait_for_more(watchers.values(), TOPIC, 3)
    killed = _pid(site, host)
    wait_until(lambda: _age(killed) > _SHORTEST_LIFE, "the Starter will start it again", limit=LONG_PATIENCE)
    seen = {number: watchers[number].ids[-1] for number in site.subarrays(host)}
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: _pid(site, host) != killed and not site.unavailable(), "it has been started again")
    for number in site.subarrays(host):
        assert state(site, number, procedures[number]) == "UNKNOWN"
        kept = json.loads(site.controller(number).GetEvents(json.dumps({"after": 0, "limit": 10_000})))
        assert {event["seq"] for event in kept} >= set(range(1, seen[number] + 1))
    end.touch()
    for number in others:
        check_that_it_ran_once(site, watchers[number], number, procedures[number])
    again = begin(site, list(site.subarrays(host)), end)
    for number, pid in again.items():
        check_that_it_ran_once(site, watchers[number], number, pid)
