"""Work of an operator with the queue, with the command only."""

import json
from typing import Any

from tests.support.oet_command import OetInProcess, table_rows
from tests.support.oet_stack import OetStack
from tests.support.patience import wait_until


def entries(invoke: OetInProcess) -> dict[int, dict[str, Any]]:
    """Return the entries of the queue, by ID."""
    return {each["id"]: each for each in json.loads(invoke("queue", "list", "--json").stdout)["entries"]}


def add(invoke: OetInProcess, *arguments: str) -> int:
    """Add an entry, and return its ID."""
    number: int = json.loads(invoke("queue", "add", "--json", *arguments).stdout)["entries"][0]["id"]
    return number


def test_a_night(invoke: OetInProcess, place: OetStack) -> None:
    uri = place.uri("hold")
    first = add(invoke, uri, "0.01", "--note=dusk")
    second = add(invoke, uri, f"--before={first}", "--repeat=2", "--init.subarray_id=2", "--", "0.02")
    gone = add(invoke, uri)
    activity = add(invoke, "observe", "--sbd=sbd-none", "--init.subarray_id=2")
    invoke("queue", "move", str(gone), "--front")
    assert list(entries(invoke))[-4:] == [gone, second, first, activity]
    invoke("queue", "remove", str(gone))
    invoke("queue", "update", str(first), "--note=dawn")
    rows = table_rows(invoke("queue", "list").stdout)
    assert [str(first), "WAITING", uri, "", "", "", "", "", "dawn"] in rows
    assert [str(second), "WAITING", f"{uri} (2 times)", "", "", "", "", "", ""] in rows
    assert entries(invoke)[first]["request"]["procedure"]["script_args"]["main"]["args"] == [0.01]
    assert entries(invoke)[activity]["request"]["activity"]["sbd_id"] == "sbd-none"
    assert "The queue is RUNNING" in invoke("queue", "start").stdout
    # The ODA does not have that Scheduling Block: the queue stops, and says why.
    wait_until(lambda: entries(invoke)[activity]["state"] == "FAILED", "the activity")
    assert entries(invoke)[first]["state"] == "DONE"
    (described,) = [
        row for row in table_rows(invoke("queue", "describe", str(first)).stdout) if "dawn" in row
    ]
    assert described[:3] == [str(first), "DONE", uri]
    assert f"The queue is STOPPED: Entry {activity} is FAILED" in invoke("queue", "list").stdout
    assert json.loads(invoke("queue", "clear", "--json").stdout) == {"entries": []}
    # It has been run before: how long it takes is known, and where the list goes on.
    again = [add(invoke, uri, "0.01", "--prepare=late") for _ in range(2)]
    assert entries(invoke)[again[0]]["request"]["prepare"] == "late"
    shown = invoke("queue", "list", "--limit=1").stdout
    assert f"--after={again[0]}" in shown
    assert next(row[5] for row in table_rows(shown) if row[0] == str(again[0])).startswith("~")
    rest = json.loads(invoke("queue", "list", f"--after={again[0]}", "--json").stdout)
    assert [entry["id"] for entry in rest["entries"]] == [again[1]]
    invoke("queue", "clear")


def test_what_cannot_be_done_is_refused(invoke: OetInProcess, place: OetStack) -> None:
    assert "entry 9999 is not in the queue" in invoke("queue", "remove", "9999", status=1).stderr
    assert "Say where" in invoke("queue", "move", "1", status=2).stderr
    assert "Give one of" in invoke("queue", "move", "1", "--front", "--back", status=2).stderr
    assert "Say what is to be changed" in invoke("queue", "update", "1", status=2).stderr
    refused = invoke("queue", "add", place.uri("hold"), "--not_before=tonight", status=1)
    assert "not_before" in refused.stderr
