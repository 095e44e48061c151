"""The client of the OET 5.2.0 with lists and events, also of embedded scripts and of those from git."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema
import pytest
from tests.support.git_projects import GitRepository
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.sse_client import SseClient

from ska_oso_oet.cli.sse import ServerSentEvent, SseParser
from ska_oso_oet.event.asyncapi import asyncapi

API = asyncapi()

_GIT = ("git_repo", "git_branch", "git_commit")


def read_procedure(received: dict[str, Any]) -> tuple[Any, ...]:
    """Return what that client makes of a procedure. It fails if a key is missing."""
    script = received["script"]
    git = tuple(script["git_args"][key] for key in _GIT) if "git_args" in script else ()
    calls = {name: (call["args"], call["kwargs"]) for name, call in received["script_args"].items()}
    first, *_ = received["history"]["process_states"]
    return (
        script["script_type"],
        script["script_uri"],
        git,
        calls,
        first[1],
        received["history"]["stacktrace"],
        received["state"],
    )


@pytest.fixture(scope="module")
def embedded(rest: Sidecar, stack: OetStack) -> int:
    """The number of an embedded procedure, among others that have ended in different ways."""
    rest.create(stack.uri("burst"), count=1)
    rest.http.post("/activities", json={"activity_name": "allocate", "sbd_id": "sbd-1"})
    (stack.scripts / "fails.py").write_text("1 / 0\ndef main(): ...\n")
    failing = rest.http.post("/procedures", json={"script_uri": stack.uri("fails")})
    rest.wait_for(failing.json()["procedure"]["id"], "FAILED")
    script = {"script_type": "embedded", "script": "def main(name):\n    print(name)\n"}
    body = {"script": script, "script_args": {"main": {"kwargs": {"name": "ü"}}}}
    number: int = rest.http.post("/procedures", json=body).json()["procedure"]["id"]
    rest.wait_for(number, "READY")
    rest.start(number)
    rest.wait_for(number, "COMPLETE")
    return number


@pytest.mark.parametrize("query", ["", "?limit=100", "?state=COMPLETE", "?script=embedded"])
def test_it_reads_each_procedure_of_a_list(http: httpx.Client, embedded: int, query: str) -> None:
    listed = http.get(f"/procedures{query}").json()["procedures"]
    found = {int(each["uri"].split("/")[-1]): read_procedure(each) for each in listed}
    assert found[embedded][0] == "embedded"
    assert found[embedded][1].startswith("embedded:")
    for number, read in found.items():
        one = read_procedure(http.get(f"/procedures/{number}").json()["procedure"])
        assert one == read


def test_it_reads_each_procedure_of_an_event(http: httpx.Client, embedded: int) -> None:
    results = [event["result"] for event in _events(http, "procedure.lifecycle.created", embedded)]
    read = {result["id"]: read_procedure(result) for result in results}
    one = read_procedure(http.get(f"/procedures/{embedded}").json()["procedure"])
    assert read[embedded][:2] == one[:2]


@pytest.fixture(scope="module")
def observing(stack: OetStack) -> GitRepository:
    """A repository with a script."""
    repository = GitRepository(stack.repositories / "observing")
    repository.commit({"scripts/observe.py": "def init(subarray_id): ...\ndef main(name): print(name)\n"})
    return repository


@pytest.mark.parametrize("branch", ["master", None])
def test_it_runs_a_script_from_git(
    rest: Sidecar, http: httpx.Client, embedded: int, observing: GitRepository, branch: str | None
) -> None:
    git_args = {"git_repo": observing.url, "git_branch": branch, "git_commit": None}
    uri = "git:///scripts/observe.py"
    script = {"script_type": "git", "script_uri": uri, "git_args": git_args, "create_env": False}
    init = {"args": [], "kwargs": {"subarray_id": 1}}
    body = {"script": script, "script_args": {"init": init}}
    created = http.post("/procedures", json=body)
    assert created.status_code == 201
    assert read_procedure(created.json()["procedure"])[:3] == ("git", uri, tuple(git_args.values()))
    number = int(created.json()["procedure"]["uri"].split("/")[-1])
    rest.wait_for(number, "READY")
    main = {"args": [], "kwargs": {"name": "Vela"}}
    update = {"state": "RUNNING", "script_args": {"main": main}}
    started = http.put(f"/procedures/{number}", json=update).json()["procedure"]
    assert read_procedure(started)[:3] == ("git", uri, tuple(git_args.values()))
    rest.wait_for(number, "COMPLETE")
    listed = {
        int(each["uri"].split("/")[-1]): read_procedure(each)
        for each in http.get("/procedures").json()["procedures"]
    }
    complete = listed[number]
    assert complete[:3] == ("git", uri, tuple(git_args.values()))
    assert complete[3] == {"init": ([], {"subarray_id": 1}), "main": ([], {"name": "Vela"})}
    assert complete[5:] == (None, "COMPLETE")
    assert complete == read_procedure(http.get(f"/procedures/{number}").json()["procedure"])
    assert http.get(f"/procedures/{number}").json()["procedure"]["commit"] == observing.git(
        "rev-parse", "HEAD"
    )
    of_event = [event["result"] for event in _events(http, "procedure.lifecycle.created", number)]
    assert read_procedure(of_event[-1])[:3] == ("git", uri, tuple(git_args.values()))


def _events(http: httpx.Client, topic: str, number: int | None = None) -> list[dict[str, Any]]:
    """Return the events of a topic, until a procedure, else the first one, is COMPLETE."""
    found = []
    with http.stream("GET", "/stream", headers={"Last-Event-ID": "0"}) as answer:
        for event in _server_sent(answer):
            fields = json.loads(event.data)
            ended = number is None or fields["msg_src"] == str(number)
            if fields["topic"] == "procedure.lifecycle.complete" and ended:
                break
            if fields["topic"] == topic:
                found.append(fields)
    return found


def _server_sent(answer: httpx.Response) -> Iterator[ServerSentEvent]:
    parser = SseParser()
    for chunk in answer.iter_bytes():
        yield from (item for item in parser.feed(chunk) if isinstance(item, ServerSentEvent))


@pytest.mark.parametrize(
    ("path", "request_topic", "asked", "answer_topic"),
    [
        ("procedures", "request.procedure.list", {"pids": None}, "procedure.pool.list"),
        ("procedures/1", "request.procedure.list", {"pids": [1]}, "procedure.pool.list"),
        ("procedures/999", "request.procedure.list", {"pids": [999]}, "procedure.pool.list"),
        ("activities", "request.activity.list", {"activity_ids": None}, "activity.pool.list"),
        ("activities/1", "request.activity.list", {"activity_ids": [1]}, "activity.pool.list"),
    ],
)
def test_it_shows_that_somebody_looks(
    rest: Sidecar, embedded: int, path: str, request_topic: str, asked: dict[str, Any], answer_topic: str
) -> None:
    async def look() -> tuple[Any, list[dict[str, Any]]]:
        client = await SseClient(rest.port).open()
        answer = (await asyncio.to_thread(rest.http.get, f"/{path}")).json()
        while len(client.unnumbered) < 2:
            assert await client.read()
        await client.close()
        return answer, client.unnumbered

    answer, (request, listed) = asyncio.run(look())
    assert request["topic"] == request_topic
    assert listed["topic"] == answer_topic
    common = {"topic", "msg_src", "time", "request_id"}
    assert {key: request[key] for key in request.keys() - common} == asked
    assert listed.keys() - common == {"result"}
    assert request["request_id"] == listed["request_id"]
    for event in (request, listed):
        jsonschema.validate(event, {**API, "$ref": f"#/components/messages/{event['topic']}/payload"})
    kind = path.split("/")[0]
    found = answer.get(kind) or [each for each in answer.values() if isinstance(each, dict)]
    assert [each["id"] for each in listed["result"]] == [int(each["uri"].split("/")[-1]) for each in found]
    if kind == "procedures":
        assert all(read_procedure(each) for each in listed["result"])
        embedded_ones = [each for each in listed["result"] if each["script"]["script_type"] == "embedded"]
        assert all("script" not in each["script"] for each in embedded_ones)
