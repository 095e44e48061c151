"""The reports about commands agree, for any sequence of steps."""

import json
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import CommandTracker
from oet_devices.ska.enums import TaskStatus
from oet_devices.ska.lrc_attributes import LrcAttribute, Spectrum

_STEPS = ("queued", "started", "progress", "completed", "failed", "aborted", "rejected")
_ORDER = list(LrcAttribute)

actions = st.lists(
    st.one_of(
        st.just(("begin", 0, 0)),
        st.just(("abort_all", 0, 0)),
        st.tuples(st.sampled_from(_STEPS), st.integers(0, 7), st.integers(0, 100)),
    ),
    max_size=40,
)


@dataclass
class Client:
    """Client of both versions of the protocol."""

    shown: dict[str, Spectrum] = field(default_factory=lambda: {"longRunningCommandResult": ("", "")})
    statuses: dict[str, TaskStatus] = field(default_factory=dict)
    results: dict[str, list[object]] = field(default_factory=dict)
    position: int = -1
    """Place of the last update in the order of one announcement."""

    def __call__(self, name: str, value: Spectrum) -> None:
        """Record one update."""
        place = _ORDER.index(LrcAttribute(name))
        if place <= self.position:
            self.check_consistent()
        self.position = place
        if name == LrcAttribute.EVENT:
            self._hear(*value)
        else:
            assert value != self.shown.get(name, ()), f"{name} was announced though it had not changed"
            self.shown[name] = value

    def _hear(self, command_id: str, text: str) -> None:
        event = json.loads(text)
        if "status" in event:
            status = TaskStatus(event["status"])
            before = self.statuses.get(command_id)
            assert before is None or (not before.is_final and before < status)
            assert ("result" in event) == status.is_final
            self.statuses[command_id] = status
            pairs = self._pairs("longRunningCommandStatus")
            assert pairs[command_id] == status.name, "the old attribute is to be ahead of the event"
        if "result" in event:
            self.results[command_id] = event["result"]
            last_id, last = self.shown["longRunningCommandResult"]
            assert (last_id, json.loads(last)) == (command_id, event["result"])

    def _pairs(self, name: str) -> dict[str, str]:
        flat = self.shown.get(name, ())
        return dict(zip(flat[::2], flat[1::2], strict=True))

    def _uids(self, name: LrcAttribute) -> set[str]:
        return {json.loads(text)["uid"] for text in self.shown.get(name, ())}

    def check_consistent(self) -> None:
        """Check that all attributes agree, as they do between two announcements."""
        by_status = {
            status: {uid for uid, known in self.statuses.items() if known is status} for status in TaskStatus
        }
        finished = {uid for uid, status in self.statuses.items() if status.is_final}
        assert self._uids(LrcAttribute.QUEUE) == by_status[TaskStatus.QUEUED]
        assert self._uids(LrcAttribute.EXECUTING) == by_status[TaskStatus.IN_PROGRESS]
        assert self._uids(LrcAttribute.FINISHED) == finished
        assert set(self.results) == finished
        assert self._pairs("longRunningCommandStatus") == {
            uid: status.name for uid, status in self.statuses.items()
        }
        assert set(self.shown.get(LrcAttribute.IDS_IN_QUEUE, ())) == set(self.statuses)


def _act(tracker: CommandTracker, handles: list[CommandHandle], action: tuple[str, int, int]) -> None:
    kind, which, number = action
    if kind == "begin":
        handles.append(tracker.begin("Scan", f"{len(handles)}_1_Scan"))
    elif kind == "abort_all":
        handles.append(tracker.abort_all(f"{len(handles)}_1_Abort"))
    elif which < len(handles):
        handle = handles[which]
        getattr(handle, kind)(*{"progress": (number,), "failed": ("broken",)}.get(kind, ()))


@settings(deadline=None, max_examples=150)
@given(actions)
def test_whatever_happens_all_attributes_tell_the_same(taken: list[tuple[str, int, int]]) -> None:
    client = Client()
    tracker = CommandTracker(client)
    handles: list[CommandHandle] = []
    try:
        for action in taken[:30]:
            _act(tracker, handles, action)
            client.check_consistent()
            client.position = -1
            for attribute in LrcAttribute:
                # A late client reads what the others have received.
                assert tracker.value(attribute) == client.shown.get(attribute, ())
            assert all(tracker.status(handle.id) is handle.status for handle in handles)
    finally:
        tracker.close()
    assert all(status.is_final for status in client.statuses.values())
    client.check_consistent()
