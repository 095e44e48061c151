"""`oet listen`, also when the stream breaks."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from tests.support.contract_server import ContractServer, contract_server
from tests.support.oet_command import OetCommand
from tests.support.patience import PATIENCE

from ska_oso_oet.cli.connection import HttpSession
from ska_oso_oet.cli.errors import CommandError
from ska_oso_oet.cli.stream import HttpEventStream, Pulse, Received


def blocks(process: "subprocess.Popen[str]", count: int) -> list[list[str]]:
    """Return the next events that a process prints, each as its lines."""
    assert process.stdout is not None
    found: list[list[str]] = [[]]
    while len(found) <= count:
        line = process.stdout.readline()
        assert line, process.communicate()
        if line == "\n":
            found.append([])
        else:
            found[-1].append(line.rstrip("\n"))
    return found[:-1]


def test_shows_each_event_in_a_line(server: ContractServer, oet: OetCommand) -> None:
    with oet.running("listen") as process:
        server.events.wait_for_streams(1)
        server.publish("user.script.announce", "2", msg="two\nlines")
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert re.fullmatch(r"   1 \d\d:\d\d:\d\d\.\d{3}  user\.script\.announce {17}  #2  two lines\n", line)


def test_shows_events_in_full_as_they_come_until_ctrl_c(server: ContractServer, oet: OetCommand) -> None:
    server.publish("request.procedure.list", "FlaskWorker", request_id=1.5, pids=None)
    with oet.running("listen", "--long") as process:
        server.events.wait_for_streams(1)
        server.publish("request.procedure.list", "FlaskWorker", request_id=2.5, pids=None)
        server.publish("procedure.pool.list", "SESWorker", request_id=2.5, result=[])
        first, second = blocks(process, 2)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)
    assert first[0] == "event: request.procedure.list"
    assert first[1].startswith(
        "data: args=() kwargs={'msg_src': 'FlaskWorker', 'request_id': 2.5, 'pids': None} seq=2 time='"
    )
    assert second[0] == "event: procedure.pool.list"
    assert second[1].startswith(
        "data: args=() kwargs={'msg_src': 'SESWorker', 'request_id': 2.5, 'result': []} seq=3 time='"
    )
    assert (process.returncode, stderr.strip()) == (0, "")


def test_topic_and_since_choose_and_json_is_as_it_was_sent(server: ContractServer, oet: OetCommand) -> None:
    for number in range(1, 4):
        server.publish("user.script.announce", "2", msg=f"message {number}")
        server.publish("scan.lifecycle.start", "2", sb_id="sbi-1", scan_id=number)
    with oet.running("listen", "--topic=scan.", "--since=2", "--json") as process:
        assert process.stdout is not None
        events = [json.loads(process.stdout.readline()) for _ in range(2)]
    assert [(event["seq"], event["scan_id"]) for event in events] == [(4, 2), (6, 3)]
    assert server.streams[0].headers["last-event-id"] == "2"


@pytest.fixture
def reports() -> list[str]:
    return []


@contextmanager
def stream_of(server: ContractServer, reports: list[str], **options: Any) -> Iterator[HttpEventStream]:
    with (
        closing(HttpSession(server.url)) as http,
        HttpEventStream(http, report=reports.append, **{"after": None, **options}) as stream,
    ):
        yield stream


def next_event(stream: HttpEventStream) -> int:
    return next(item.event.seq for item in stream if isinstance(item, Received))


def test_a_server_that_falls_silent_is_given_up_and_found_again(
    server: ContractServer, reports: list[str]
) -> None:
    server.events.mute_next = True
    server.publish("a")
    with stream_of(server, reports, after=0, read_timeout=0.3) as stream:
        assert next_event(stream) == 1
    assert "timed out" in reports[0]
    assert reports[1] == "The stream of events is back, nothing was missed"


def test_a_server_that_stays_away_is_given_up(reports: list[str]) -> None:
    with contract_server() as server, stream_of(server, reports, give_up_after=0.6) as stream:
        server.close()
        with pytest.raises(CommandError, match="did not come back"):
            next_event(stream)


def test_a_heartbeat_is_a_pulse(server: ContractServer, reports: list[str]) -> None:
    server.events.heartbeat = 0.05
    with stream_of(server, reports) as stream:
        assert next(iter(stream)) == Pulse()


def test_what_the_service_has_to_say_is_told_once(server: ContractServer, reports: list[str]) -> None:
    server.events.heartbeat = 0.05
    server.events.comment = " events 1 to 500 are no longer kept"
    with stream_of(server, reports, after=0) as stream:
        items = iter(stream)
        assert [next(items) for _ in range(3)] == [Pulse()] * 3
        server.events.comment = ""
        assert next(items) == Pulse()
    assert reports == ["The OET says: events 1 to 500 are no longer kept"]


def test_what_is_no_event_is_passed_over(server: ContractServer, reports: list[str]) -> None:
    with stream_of(server, reports) as stream:
        for text in ("no JSON", "[1]", '{"topic": 5}'):
            server.events.append_text(text)
        server.publish("user.script.announce", msg="an event")
        assert next_event(stream) == 4
    assert reports == [
        "Skipped an item of the stream of events that cannot be read: " + text
        for text in ("no JSON", "[1]", '{"topic": 5}')
    ]


def test_a_server_that_has_no_stream(server: ContractServer, oet: OetCommand) -> None:
    oet.env["OET_REST_URI"] = server.url.removesuffix("/api/v1.0")
    done = oet("listen", status=1)
    assert "/stream is not a stream of events. Is --server-url the address of an OET?" in done.stderr
