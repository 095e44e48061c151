"""Results, files, history and reruns of procedures over HTTP, and descriptions of scripts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.support.git_projects import GitRepository
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import wait_until

LEAVES = """
'''Leaves files.'''
import os, threading

def main(size: int = 10, wait: bool = False):
    '''Write.

    :param size: of the data
    '''
    os.mkdir("plots")
    for name in ("plots/größe.png", "page.html", "table.csv"):
        with open(name, "w") as file:
            file.write("x" * size)
    print("written", flush=True)
    while wait:
        threading.Event().wait()
    return {"size": size}
"""


@pytest.fixture(scope="module")
def leaves(stack: OetStack) -> Iterator[str]:
    path = stack.scripts / "leaves.py"
    path.write_text(LEAVES)
    yield stack.uri("leaves")
    path.unlink()


def ended(rest: Sidecar, uri: str, **arguments: Any) -> int:
    number: int = rest.create(uri, **arguments)["id"]
    rest.start(number)
    rest.wait_for(number, "COMPLETE")
    return number


def test_result_and_files(rest: Sidecar, http: httpx.Client, leaves: str) -> None:
    size = 3 << 19
    number = ended(rest, leaves, size=size)
    procedure = http.get(f"/procedures/{number}").json()["procedure"]
    assert procedure["result"] == {"size": size}
    listed = http.get(f"/procedures/{number}/files").json()
    assert listed == {"files": procedure["files"], "omitted": 0}
    assert [file["name"] for file in listed["files"]] == ["page.html", "table.csv", "plots/größe.png"]
    for name, type_, disposition in (
        ("plots/größe.png", "image/png", "inline; filename*=UTF-8''gr%C3%B6%C3%9Fe.png"),
        ("table.csv", "text/csv; charset=utf-8", "inline; filename*=UTF-8''table.csv"),
        ("page.html", "application/octet-stream", "attachment; filename*=UTF-8''page.html"),
    ):
        answer = http.get(f"/procedures/{number}/files/{name}")
        assert answer.content == b"x" * size
        assert (answer.headers["Content-Type"], answer.headers["Content-Disposition"]) == (type_, disposition)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "python" in http.get(f"/procedures/{number}/environment").json()


def test_files_of_a_script_that_runs(rest: Sidecar, http: httpx.Client, leaves: str) -> None:
    number = rest.create(leaves, wait=True)["id"]
    rest.start(number)
    wait_until(lambda: http.get(f"/procedures/{number}/output").json()["lines"], "output")
    assert http.get(f"/procedures/{number}/files/table.csv").content == b"x" * 10
    http.put(f"/procedures/{number}", json={"state": "STOPPED"})
    assert http.get(f"/procedures/{number}").json()["procedure"]["state"] == "STOPPED"
    assert http.get(f"/procedures/{number}/files/table.csv").content == b"x" * 10


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("gone.txt", 404),
        ("..%2F..%2Fjournal.sqlite", 404),
        ("../../output/1.log", 404),
        ("%2Fetc%2Fpasswd", 404),
        ("plots", 404),
    ],
)
def test_no_other_files(rest: Sidecar, http: httpx.Client, leaves: str, name: str, status: int) -> None:
    number = ended(rest, leaves)
    answer = http.get(f"/procedures/{number}/files/{name}")
    assert (answer.status_code, answer.json().keys()) == (status, {"error", "type", "Message"})


@pytest.mark.parametrize("path", ["files", "files/a", "environment"])
def test_of_a_procedure_that_is_not_there(http: httpx.Client, path: str) -> None:
    for number in (0, 99999):
        assert http.get(f"/procedures/{number}/{path}").status_code == 404


def test_what_was_not_loaded_has_no_environment(rest: Sidecar, http: httpx.Client, stack: OetStack) -> None:
    (stack.scripts / "divides.py").write_text("1 / 0\ndef main(): ...\n")
    try:
        body = {"script": {"script_uri": stack.uri("divides")}}
        number = http.post("/procedures", json=body).json()["procedure"]["id"]
        rest.wait_for(number, "FAILED")
        assert http.get(f"/procedures/{number}/environment").status_code == 410
    finally:
        (stack.scripts / "divides.py").unlink()


def test_history(rest: Sidecar, http: httpx.Client, leaves: str, stack: OetStack) -> None:
    ids = [ended(rest, leaves, size=number) for number in range(4)]
    other = rest.create(stack.uri("burst"), count=1)["id"]
    rest.wait_for(other, "READY")

    def find(**query: Any) -> tuple[list[int], int | None]:
        body = http.get("/procedures", params=query).json()
        return [procedure["id"] for procedure in body["procedures"]], body["next"]

    assert find(script="leaves", limit=2) == (ids[:1:-1], ids[2])
    assert find(script="leaves", limit=2, before=ids[2])[0] == ids[1::-1]
    assert find(state=["READY", "RUNNING"], limit=1)[0] == [other]
    created = http.get(f"/procedures/{ids[2]}").json()["procedure"]["created"]
    since = datetime.fromtimestamp(created - 0.0005, UTC)
    assert find(since=since.isoformat(), state="COMPLETE") == ([ids[3], ids[2]], None)
    assert find(until=since.isoformat(), limit=1)[0] == [ids[1]]
    assert find(text='"size":3}', limit=1)[0] == [ids[3]]
    assert "next" not in http.get("/procedures").json()
    http.put(f"/procedures/{other}", json={"state": "STOPPED"})


@pytest.mark.parametrize("query", ["state=DONE", "since=noon", "limit=0", "limit=101", "before=x"])
def test_what_history_cannot_be_asked(http: httpx.Client, query: str) -> None:
    assert http.get(f"/procedures?{query}").status_code == 400


def test_rerun(rest: Sidecar, http: httpx.Client, leaves: str) -> None:
    former = ended(rest, leaves, size=5)
    for body, size in (({}, 5), ({"script_args": {"main": {"kwargs": {"size": 7}}}}, 7)):
        answer = http.post(f"/procedures/{former}/rerun", json=body)
        assert answer.status_code == 201
        number = answer.json()["procedure"]["id"]
        assert answer.headers["Location"].endswith(f"/procedures/{number}")
        rest.wait_for(number, "READY")
        rest.start(number)
        assert rest.wait_for(number, "COMPLETE")["result"] == {"size": size}
    refused = http.post(
        f"/procedures/{former}/rerun", json={"script_args": {"main": {"kwargs": {"size": "x"}}}}
    )
    assert (refused.status_code, refused.json()["type"]) == (400, "ArgumentsDoNotFit")
    assert http.post("/procedures/99999/rerun", json={}).status_code == 404


def test_an_argument_given_by_position_is_replaced_by_name(
    rest: Sidecar, http: httpx.Client, leaves: str
) -> None:
    body = {"script": {"script_uri": leaves}, "script_args": {"main": {"args": [5]}}}
    former = http.post("/procedures", json=body).json()["procedure"]["id"]
    changed = {"script_args": {"main": {"kwargs": {"size": 7}}}}
    answer = http.post(f"/procedures/{former}/rerun", json=changed)
    again = answer.json()["procedure"]
    for number in (former, again["id"]):
        rest.wait_for(number, "READY")
        http.put(f"/procedures/{number}", json={"state": "STOPPED"})
    assert again["script_args"]["main"] == {"args": [7], "kwargs": {}}


def test_an_argument_of_a_script_from_git_is_replaced_by_name(
    rest: Sidecar, http: httpx.Client, stack: OetStack
) -> None:
    repository = GitRepository(stack.repositories / "replaced")
    init = "def init(greeting): globals()['GREETING'] = greeting\n"
    repository.commit({"greet.py": f"{init}def main(name): return GREETING, name\n"})
    script = {"script_type": "git", "script_uri": "git:///greet.py", "git_args": {"git_repo": repository.url}}
    body = {"script": script, "script_args": {"init": {"args": ["hello"]}, "main": {"args": ["Bob"]}}}
    former = http.post("/procedures", json=body).json()["procedure"]["id"]
    rest.wait_for(former, "READY")
    http.put(f"/procedures/{former}", json={"state": "STOPPED"})
    changes = {"init": {"kwargs": {"greeting": "good night"}}, "main": {"kwargs": {"name": "Eve"}}}
    again = http.post(f"/procedures/{former}/rerun", json={"script_args": changes}).json()["procedure"]["id"]
    rest.wait_for(again, "READY")
    rest.start(again)
    complete = rest.wait_for(again, "COMPLETE")
    assert complete["result"] == ["good night", "Eve"]
    assert complete["script_args"]["main"] == {"args": ["Eve"], "kwargs": {}}


def test_a_script_is_described(http: httpx.Client, leaves: str) -> None:
    found = http.get("/scripts/describe", params={"uri": leaves}).json()
    main = found["functions"]["main"]
    assert (found["uri"], found["doc"]) == (leaves, "Leaves files.")
    assert main["parameters"]["properties"]["size"] == {
        "annotation": "int",
        "default": 10,
        "description": "of the data",
        "type": "integer",
    }
    for uri in ("file:///etc/passwd", leaves.replace("leaves", "gone"), "git:///a.py", "nonsense"):
        assert http.get("/scripts/describe", params={"uri": uri}).status_code == 400
