"""The topic tree, as scripts use it with pypubsub."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pubsub import pub

from ska_oso_oet.event import topics
from ska_oso_oet.procedure.domain.syntax import parse_module

RESULT = {"request_id", "result"}
# The table of topics and their data; each also carries `msg_src`.
TOPICS: dict[str, set[str]] = {
    "request.procedure.create": {"request_id", "cmd"},
    "request.procedure.start": {"request_id", "cmd"},
    "request.procedure.stop": {"request_id", "cmd"},
    "request.procedure.list": {"request_id", "pids"},
    "request.activity.run": {"request_id", "cmd"},
    "request.activity.list": {"request_id", "activity_ids"},
    "procedure.lifecycle.created": RESULT,
    "procedure.lifecycle.started": RESULT,
    "procedure.lifecycle.stopped": RESULT,
    "procedure.lifecycle.complete": RESULT,
    "procedure.lifecycle.failed": RESULT,
    "procedure.lifecycle.statechange": {"new_state"},
    "procedure.lifecycle.stacktrace": {"stacktrace"},
    "procedure.pool.list": RESULT,
    "activity.pool.list": RESULT,
    "activity.lifecycle.running": RESULT,
    "activity.lifecycle.statechange": {"activity_id", "new_state"},
    "queue.state": {"new_state", "reason"},
    "queue.entry.added": {"entry_id", "result"},
    "queue.entry.changed": {"entry_id", "result"},
    "queue.entry.removed": {"entry_id", "result"},
    "user.script.announce": {"msg"},
    "user.script.progress": {"progress"},
    "sb.lifecycle.allocated": {"sb_id"},
    "sb.lifecycle.observation.started": {"sb_id"},
    "sb.lifecycle.observation.finished.succeeded": {"sb_id"},
    "sb.lifecycle.observation.finished.failed": {"sb_id"},
    "subarray.configured": {"subarray_id"},
    "subarray.resources.allocated": {"subarray_id"},
    "subarray.resources.deallocated": {"subarray_id"},
    "subarray.scan.started": {"subarray_id"},
    "subarray.scan.finished": {"subarray_id"},
    "subarray.fault": {"subarray_id", "error"},
    "scan.lifecycle.configure.started": {"sb_id", "scan_id"},
    "scan.lifecycle.configure.complete": {"sb_id", "scan_id"},
    "scan.lifecycle.configure.failed": {"sb_id", "scan_id"},
    "scan.lifecycle.start": {"sb_id", "scan_id"},
    "scan.lifecycle.end.succeeded": {"sb_id", "scan_id"},
    "scan.lifecycle.end.failed": {"sb_id", "scan_id"},
}

Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What is published while the test runs."""
    found: Heard = []

    def note(topic: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
        found.append((topic.getName(), fields))

    pub.subscribe(note, pub.ALL_TOPICS)
    yield found
    pub.unsubscribe(note, pub.ALL_TOPICS)
    # Topics belong to the process: other tests look at those that the OET defines.
    for name in ("user.script.weather", "weather"):
        if pub.getDefaultTopicMgr().getTopic(name, okIfNone=True) is not None:
            pub.getDefaultTopicMgr().delTopic(name)


def leaf(name: str) -> Any:
    found: Any = topics
    for part in name.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", TOPICS)
def test_a_topic_is_published_by_its_class_with_or_without_a_source(heard: Heard, name: str) -> None:
    data = dict.fromkeys(TOPICS[name], "data")
    pub.sendMessage(leaf(name), **data)
    pub.sendMessage(name, msg_src="me", **data)
    assert heard == [(name, {"msg_src": None, **data}), (name, {"msg_src": "me", **data})]


@pytest.mark.parametrize("name", TOPICS)
def test_a_listener_may_demand_the_source_and_all_data(name: str) -> None:
    """Scripts of the OET 5.2.0 have such listeners, and send without a source since."""
    required = [field for field in sorted(TOPICS[name]) if field not in {"pids", "activity_ids"}]
    optional = [f"{field}=None" for field in TOPICS[name] - set(required)]
    optional += ["msg=None"] if name == "user.script.progress" else []
    names: dict[str, Any] = {}
    parameters = ", ".join(["msg_src", *required, *optional])
    exec(f"calls = []\ndef listener({parameters}): calls.append(msg_src)", names)
    pub.subscribe(names["listener"], name)
    pub.sendMessage(name, **dict.fromkeys(required, 1))
    pub.sendMessage(name, msg_src="me", **dict.fromkeys(required, 1))
    assert names["calls"] == [None, "me"]


def test_the_start_of_a_scan_may_come_without_its_number(heard: Heard) -> None:
    pub.sendMessage(topics.scan.lifecycle.start, msg_src="me", sb_id="sb-1")
    assert heard == [("scan.lifecycle.start", {"msg_src": "me", "sb_id": "sb-1", "scan_id": None})]


def test_data_that_a_topic_needs_are_still_demanded() -> None:
    with pytest.raises(pub.SenderMissingReqdMsgDataError):
        pub.sendMessage(topics.scan.lifecycle.start, msg_src="me")


def test_topics_that_nobody_declared_can_be_sent_and_heard(heard: Heard) -> None:
    pub.sendMessage("user.script.weather", wind=12)
    pub.sendMessage("weather", wind=13)
    assert heard == [("user.script.weather", {"wind": 12}), ("weather", {"wind": 13})]


def test_the_stub_for_type_checkers_has_the_topics_that_there_are() -> None:
    """Type checkers read the stub, Python reads the module."""
    path = Path(topics.__file__ or "").with_suffix(".pyi")
    stub: dict[str, Any] = {}
    for node in parse_module(path.read_text(), path.name).body:
        if isinstance(node, ast.ClassDef) and node.name != "_Topic":
            stub[node.name] = fields_of(node.body)
    roots = fields_of(parse_module(path.read_text(), path.name).body)
    assert set(flattened(roots, stub)) == set(declared(topics))


def fields_of(body: list[ast.stmt]) -> dict[str, str]:
    """Names and types of the variables that a stub declares."""
    found = [each for each in body if isinstance(each, ast.AnnAssign)]
    return {ast.unparse(each.target): ast.unparse(each.annotation) for each in found}


def flattened(fields: dict[str, str], stub: dict[str, dict[str, str]], prefix: str = "") -> Iterator[str]:
    """Names of topics that a stub declares."""
    for name, type_ in fields.items():
        yield prefix + name
        yield from flattened(stub.get(type_, {}), stub, f"{prefix}{name}.")


def declared(parent: object, prefix: str = "") -> Iterator[str]:
    """Names of topics that the module declares."""
    for name, value in vars(parent).items():
        if isinstance(value, type) and value.__module__.startswith("ska_oso_oet.event."):
            yield prefix + name
            yield from declared(value, f"{prefix}{name}.")


@pytest.mark.parametrize("name", TOPICS)
def test_data_that_does_not_belong_to_a_topic_is_refused(heard: Heard, name: str) -> None:
    with pytest.raises(pub.SenderUnknownMsgDataError):
        pub.sendMessage(name, **dict.fromkeys(TOPICS[name], 1), other=1)
    assert heard == []


def test_ids_are_optional_where_none_means_all(heard: Heard) -> None:
    pub.sendMessage(topics.request.procedure.list, request_id=1)
    pub.sendMessage(topics.request.activity.list, request_id=1)
    assert [topic for topic, _ in heard] == ["request.procedure.list", "request.activity.list"]


def test_progress_may_come_with_a_word_on_what_is_being_done(heard: Heard) -> None:
    pub.sendMessage(topics.user.script.progress, progress=40, msg="scan 2 of 5")
    assert heard == [("user.script.progress", {"msg_src": None, "progress": 40, "msg": "scan 2 of 5"})]


def test_a_listener_of_a_branch_hears_its_leaves(heard: Heard) -> None:
    states: list[str] = []

    def on_lifecycle(topic: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
        states.append(topic.getName())

    pub.subscribe(on_lifecycle, "subarray")
    pub.sendMessage(topics.subarray.scan.started, subarray_id=1)
    pub.sendMessage(topics.user.script.announce, msg="not for you")
    pub.unsubscribe(on_lifecycle, "subarray")
    assert states == ["subarray.scan.started"]


def test_every_topic_says_what_it_is(heard: Heard) -> None:
    for name in TOPICS:
        branch = ""
        for part in name.split("."):
            branch = f"{branch}.{part}".lstrip(".")
            assert leaf(branch).__doc__, branch
