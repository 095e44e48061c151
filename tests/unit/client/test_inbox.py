"""Items come out of the inbox whole and in order, whatever threads put them there."""

import asyncio
import threading

from tests.support.patience import PATIENCE

from ska_oso_oet.client.inbox import Inbox


def test_items_of_a_thread_arrive_in_order_and_none_is_lost() -> None:
    async def receive() -> list[int]:
        inbox: Inbox[int] = Inbox(100_000)

        def send() -> None:
            for number in range(20_000):
                inbox.put(number)

        sender = threading.Thread(target=send)
        sender.start()
        received: list[int] = []
        while len(received) < 20_000:
            assert await inbox.wait(PATIENCE)
            received += inbox.take()
        sender.join()
        return received

    assert asyncio.run(receive()) == list(range(20_000))


def test_a_full_inbox_drops_what_comes_then_and_goes_on_later() -> None:
    async def receive() -> list[int]:
        inbox: Inbox[int] = Inbox(3)
        for number in range(10):
            inbox.put(number)
        received = inbox.take()
        inbox.put(10)
        assert await inbox.wait(PATIENCE)
        return received + inbox.take()

    assert asyncio.run(receive()) == [0, 1, 2, 10]


def test_heavy_items_fill_an_inbox_too() -> None:
    async def receive() -> list[str]:
        inbox: Inbox[str] = Inbox(100, weigh=len, max_weight=10)
        for text in ("four", "five5", "sixsix", "seven77"):
            inbox.put(text)
        received = inbox.take()
        inbox.put("eight888")
        return received + inbox.take()

    # What makes it full is taken: an item that is heavier than the limit would never be.
    assert asyncio.run(receive()) == ["four", "five5", "sixsix", "eight888"]


def test_waiting_ends_when_time_is_up() -> None:
    async def wait() -> bool:
        return await Inbox[int](1).wait(0.01)

    assert not asyncio.run(wait())


def test_a_thread_may_outlive_the_loop() -> None:
    async def make() -> Inbox[int]:
        return Inbox(1)

    asyncio.run(make()).put(1)
