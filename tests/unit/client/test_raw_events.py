"""Numbers of events are read as JSON, wherever they stand in it, and no script can forge them."""

import json

import orjson
import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.client.raw_events import RawEvent, read_list
from ska_oso_oet.event.bus import Announcement, EventBus
from ska_oso_oet.journal import MemoryJournal


def _text(**fields: object) -> str:
    flat = {"topic": "user.script.announce", "msg_src": "1", **fields, "seq": 7, "time": 1.5e9}
    return orjson.dumps(flat).decode()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"msg": '","seq":666,"time":1.0}'},
        {"msg": {"seq": 666, "time": 1.0}},
        {"list": [{"topic": "x", "seq": 666, "time": 1.0}]},
        {"msg": 'ends like one ,\\"seq\\":666,\\"time\\":1}'},
    ],
)
def test_number_and_time_are_those_that_the_bus_gave(fields: dict[str, object]) -> None:
    text = _text(**fields)
    assert RawEvent.read(text) == RawEvent(7, 1.5e9, text)


def test_order_of_fields_does_not_matter() -> None:
    event = RawEvent.read('{"time": 2.5, "seq": 3, "topic": "a", "msg_src": null}')
    assert event is not None
    assert event.identity == (3, 2.5)
    assert event.parse().topic == "a"


def test_before_the_first_event_there_is_none() -> None:
    assert RawEvent.read("{}") is None


def test_events_of_the_bus_have_the_fields_that_the_client_reads() -> None:
    journal = MemoryJournal()
    bus = EventBus(journal)
    forged = {"seq": 666, "time": 1.0, "msg": "hello"}
    bus.publish(Announcement("user.script.announce", "1", forged))
    bus.committed().result(PATIENCE)
    (sent,) = journal.read_events(0, 10)
    bus.close()
    event = RawEvent.read(sent.text)
    assert event is not None
    assert (event.seq, event.text) == (1, sent.text)
    assert event.time > 1e9
    assert read_list(f"[{sent.text}]") == [event]


@pytest.mark.parametrize(
    "text", ['{"seq": "7", "time": 1}', '{"seq": true, "time": 1}', '{"topic": "a"}', "[1]", "7", "no JSON"]
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        RawEvent.read(text)


def test_events_of_a_list_are_single_lines_of_the_same_json() -> None:
    texts = [_text(msg="a\nb"), _text(msg='},{"topic":"x","seq":1,"time":1.0}'), _text(msg="ü😀")]
    events = read_list(f"[{','.join(texts)}]")
    assert [json.loads(event.text) for event in events] == [json.loads(text) for text in texts]
    assert not any("\n" in event.text for event in events)
