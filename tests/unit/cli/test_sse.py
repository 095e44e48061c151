"""The parser of server-sent events."""

import pytest

from ska_oso_oet.cli.sse import Comment, ServerSentEvent, SseParser

STREAM = (
    "\ufeff\n"
    ": here I am\n"
    'data:{"name": "Ωmega"}\nid:1\n\n'
    "data: two\r\ndata:lines\r\nid: 2\r\nevent: note\r\n\r\n"
    "data:cr\rid:3\r\r"
    "retry: 2500\n"
    "data:a\u2028b\x85c\x0bd\nid:4\n\n"
    "data:unfinished"
).encode()
ITEMS = [
    Comment("here I am"),
    ServerSentEvent('{"name": "Ωmega"}', id="1"),
    ServerSentEvent("two\nlines", "note", "2"),
    ServerSentEvent("cr", id="3"),
    ServerSentEvent("a\u2028b\x85c\x0bd", id="4"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_reads_the_same_wherever_the_bytes_are_cut(size: int) -> None:
    parser = SseParser()
    chunks = [STREAM[begin : begin + size] for begin in range(0, len(STREAM), size)]
    assert [item for chunk in chunks for item in parser.feed(chunk)] == ITEMS
    assert parser.retry == 2.5


def test_gives_an_event_at_its_empty_line_and_not_later() -> None:
    parser = SseParser()
    assert list(parser.feed(b"data:x\r\n")) == []
    # The line feed of the last line end has not come, and must not be waited for.
    assert list(parser.feed(b"\r")) == [ServerSentEvent("x")]
    assert list(parser.feed(b"\ndata:y\n\n")) == [ServerSentEvent("y")]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("id:7\n\ndata:x\n\n", [ServerSentEvent("x", id="7")]),
        ("id:7\ndata:x\n\ndata:y\n\n", [ServerSentEvent("x", id="7"), ServerSentEvent("y", id="7")]),
        ("id:7\ndata:x\n\nid\ndata:y\n\n", [ServerSentEvent("x", id="7"), ServerSentEvent("y")]),
        ("id:7\nid:8\0\ndata:x\n\n", [ServerSentEvent("x", id="7")]),
        ("event:a\n\ndata:x\n\n", [ServerSentEvent("x")]),
        ("data\n\n", [ServerSentEvent("")]),
        ("data:  x:y\n\n", [ServerSentEvent(" x:y")]),
        ("other:1\nDATA:2\nretry:soon\ndata:x\n\n", [ServerSentEvent("x")]),
    ],
)
def test_keeps_to_the_standard(text: str, items: list[ServerSentEvent]) -> None:
    parser = SseParser()
    assert list(parser.feed(text.encode())) == items
    assert parser.retry is None


def test_replaces_bytes_that_are_no_text() -> None:
    assert list(SseParser().feed(b"data:\xff!\n\n")) == [ServerSentEvent("\ufffd!")]


def test_a_service_may_tell_its_place_before_any_event() -> None:
    parser = SseParser()
    assert list(parser.feed(b"\nid:7\n\n")) == []
    assert parser.last_id == "7"
