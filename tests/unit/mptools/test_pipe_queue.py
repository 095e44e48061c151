"""Message queues: order, bounds, time-outs, and ends."""

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import Any

import pytest
from tests.support.patience import PATIENCE, patience

from ska_oso_oet.mptools import EventMessage, MessageTooLargeError, PipeQueue
from ska_oso_oet.mptools.encoding import MAX_MESSAGE, encode

CONTEXT = get_context("forkserver")

MEBIBYTE = "x" * (MAX_MESSAGE - 16)
"""Makes a message as large as one may be, many times as large as a pipe holds."""
PAGE = "x" * 4_000
"""Makes a message that goes into a pipe as a whole, or not at all."""


@pytest.fixture
def make() -> Iterator[Callable[..., PipeQueue]]:
    """Makes queues that are closed in the end."""
    made: list[PipeQueue] = []

    def make(maxsize: int = 0) -> PipeQueue:
        made.append(PipeQueue(maxsize, ctx=CONTEXT))
        return made[-1]

    yield make
    for known in made:
        known.safe_close()


@pytest.fixture
def messages(make: Callable[..., PipeQueue]) -> PipeQueue:
    """A queue that holds as much as its pipe does."""
    return make()


def in_thread(function: Callable[..., Any], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=function, args=args, daemon=True)
    thread.start()
    return thread


def test_messages_arrive_once_and_in_order(messages: PipeQueue) -> None:
    def write() -> None:
        for number in range(5000):
            messages.put(EventMessage("a", "b", number))

    writer = in_thread(write)
    assert [messages.get(timeout=PATIENCE).msg for _ in range(5000)] == list(range(5000))
    writer.join(PATIENCE)
    with pytest.raises(queue.Empty):
        messages.get(block=False)


def test_messages_of_several_threads_do_not_mix(messages: PipeQueue) -> None:
    def write(name: str) -> None:
        for number in range(50):
            messages.put([name, number, name * 5_000])

    writers = [in_thread(write, name) for name in "abc"]
    got = [messages.get(timeout=PATIENCE) for _ in range(150)]
    for writer in writers:
        writer.join(PATIENCE)
    assert all(text == name * 5_000 for name, _, text in got)
    for name in "abc":
        assert [number for sender, number, _ in got if sender == name] == list(range(50))


def test_a_message_many_times_as_large_as_the_pipe(messages: PipeQueue) -> None:
    writer = in_thread(messages.put, MEBIBYTE)
    assert messages.get(timeout=PATIENCE) == MEBIBYTE
    writer.join(PATIENCE)


def test_a_message_that_is_too_large_leaves_the_queue_as_it_was(messages: PipeQueue) -> None:
    with pytest.raises(MessageTooLargeError):
        messages.put("x" * MAX_MESSAGE)
    assert not messages.safe_put("x" * MAX_MESSAGE)
    messages.put("next")
    assert messages.get() == "next"


def test_a_reader_waits_for_the_rest_of_a_message(messages: PipeQueue) -> None:
    line = encode({"key": "value"})
    os.write(messages.writer.fileno(), line[:5])
    with pytest.raises(queue.Empty):
        messages.get(timeout=0.01)
    os.write(messages.writer.fileno(), line[5:] + line)
    assert [messages.get(), messages.get()] == [{"key": "value"}] * 2


def test_get_waits_no_longer_than_it_is_told(messages: PipeQueue) -> None:
    before = time.monotonic()
    with pytest.raises(queue.Empty):
        messages.get(timeout=0.05)
    assert 0.05 <= time.monotonic() - before < patience(1.0)
    with pytest.raises(queue.Empty):
        messages.get(block=False)


@pytest.mark.parametrize("maxsize", [0, 3])
def test_messages_put_together_are_read_in_order(make: Callable[..., PipeQueue], maxsize: int) -> None:
    messages = make(maxsize)
    messages.put_all(["a", "b", "c"])
    if maxsize:  # each has taken its place
        with pytest.raises(queue.Full):
            messages.put("d", block=False)
    assert [messages.get(timeout=PATIENCE) for _ in range(3)] == ["a", "b", "c"]
    messages.put("d", block=False)
    assert messages.get(timeout=PATIENCE) == "d"


def test_a_get_that_waits_is_woken_by_a_put(messages: PipeQueue) -> None:
    got: list[Any] = []
    reader = in_thread(lambda: got.append(messages.get()))
    messages.put("hello")
    reader.join(PATIENCE)
    assert got == ["hello"]


def test_a_bounded_queue_is_full_when_it_holds_that_many(make: Callable[..., PipeQueue]) -> None:
    bounded = make(2)
    bounded.put(1)
    bounded.put(2)
    with pytest.raises(queue.Full):
        bounded.put(3, timeout=0.01)
    with pytest.raises(queue.Full):
        bounded.put(3, block=False)
    assert bounded.get() == 1
    assert bounded.safe_put(3)
    assert not bounded.safe_put(4)
    assert list(bounded.drain()) == [2, 3]


def test_a_put_that_waits_is_woken_by_a_get(make: Callable[..., PipeQueue]) -> None:
    bounded = make(1)
    bounded.put(1)
    writer = in_thread(bounded.put, 2)
    assert [bounded.get(timeout=PATIENCE), bounded.get(timeout=PATIENCE)] == [1, 2]
    writer.join(PATIENCE)


def test_a_full_pipe_costs_no_place_in_a_bounded_queue(make: Callable[..., PipeQueue]) -> None:
    bounded = make(100)
    held = 0
    while bounded.safe_put(PAGE, timeout=None):
        held += 1
    assert held < 100, "the pipe was to be full before all places were taken"
    for _ in range(100):
        assert not bounded.safe_put(PAGE, timeout=None)
    assert len(list(bounded.drain())) == held
    assert all(bounded.safe_put(number) for number in range(100))
    assert not bounded.safe_put(100)


def test_what_was_written_is_read_before_the_end_is_told(messages: PipeQueue) -> None:
    messages.put("last words")
    messages.close_writer()
    assert messages.get() == "last words"
    for _ in range(2):
        with pytest.raises(EOFError):
            messages.get()
    assert messages.safe_get() is None
    assert list(messages.drain()) == []


def test_half_a_message_at_the_end_is_no_message(messages: PipeQueue) -> None:
    os.write(messages.writer.fileno(), encode("complete") + b'["half')
    messages.close_writer()
    assert messages.get() == "complete"
    with pytest.raises(EOFError):
        messages.get()


def test_a_writer_learns_that_there_is_no_reader(messages: PipeQueue) -> None:
    messages.close_reader()
    with pytest.raises(BrokenPipeError):
        messages.put("hello")
    assert not messages.safe_put("hello")


def test_what_is_no_message_is_passed_over(messages: PipeQueue) -> None:
    os.write(messages.writer.fileno(), b"nonsense\n" + encode(1) + b"{}\n" + encode(2) + b"\n" + encode(3))
    with pytest.raises(ValueError):
        messages.get()
    assert messages.get() == 1
    assert messages.safe_get() is None
    assert messages.safe_get() == 2
    assert list(messages.drain()) == [3]


def test_safe_get_returns_none_where_get_raises(messages: PipeQueue) -> None:
    assert messages.safe_get() is None
    assert messages.safe_get(timeout=None) is None
    messages.put("hello")
    assert messages.safe_get(timeout=None) == "hello"


def test_safe_close_tells_how_much_it_removed(messages: PipeQueue) -> None:
    for number in range(3):
        messages.put(number)
    assert messages.safe_close() == 3
    assert messages.safe_close() == 0
    assert not messages.safe_put("too late")
    assert messages.safe_get() is None
