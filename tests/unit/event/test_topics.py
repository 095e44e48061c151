"""The topic tree, as scripts use it with pypubsub."""

from collections.abc import Iterator
from typing import Any

import pytest
from pubsub import pub

from ska_oso_oet.event import topics

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
    pub.addTopicDefnProvider(topics, pub.TOPIC_TREE_FROM_CLASS)
    found: Heard = []

    def note(topic: Any = pub.AUTO_TOPIC, **fields: Any) -> None:
        found.append((topic.getName(), fields))

    pub.subscribe(note, pub.ALL_TOPICS)
    yield found
    pub.unsubscribe(note, pub.ALL_TOPICS)
    pub.clearTopicDefnProviders()


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
    assert heard == [(name, data), (name, {"msg_src": "me", **data})]


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
    assert heard == [("user.script.progress", {"progress": 40, "msg": "scan 2 of 5"})]


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
