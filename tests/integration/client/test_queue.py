"""The observing queue, as a Python program uses it."""

import asyncio
import os

import pytest
from tests.support.oet_stack import OetStack

from ska_oso_oet.client import (
    Controller,
    InvalidRequestError,
    NotFoundError,
    RequestRejectedError,
    SyncController,
)
from ska_oso_oet.model import (
    QueueAddRequest,
    QueueEntryState,
    QueueMoveRequest,
    QueueQuery,
    QueueRemoveRequest,
    QueueState,
    QueueStopRequest,
    QueueUpdateRequest,
)


def test_a_program_makes_and_runs_a_queue(stack: OetStack) -> None:
    embedded = {"procedure": {"script": {"script_type": "embedded", "script": "def main(): ..."}}}
    held = {"procedure": {"script": {"script_type": "filesystem", "script_uri": stack.uri("hold")}}}

    async def use() -> None:
        async with Controller(stack.device) as oet, oet.events(topic="queue.") as events:
            queue = oet.queue
            first, second = await queue.add(QueueAddRequest.model_validate({"entries": [embedded, held]}))
            await queue.move(QueueMoveRequest(id=second.id, position="front"))
            (changed,) = await queue.update(QueueUpdateRequest(id=first.id, note="Ω"))
            assert (changed.request.note, changed.request.repeat) == ("Ω", 1)
            assert [entry.id for entry in (await queue.read()).entries] == [second.id, first.id]
            assert (await queue.start()).state is QueueState.RUNNING
            async for event in events:
                if event.fields.get("entry_id") == second.id and event.fields["result"]["state"] == "RUNNING":
                    break
            with pytest.raises(RequestRejectedError):
                await queue.remove(QueueRemoveRequest(id=second.id))
            with pytest.raises(NotFoundError):
                await queue.remove(QueueRemoveRequest(id=9999))
            misfit = {"script_args": {"main": {"args": [1, 2]}}}
            with pytest.raises(InvalidRequestError):
                await queue.add(QueueAddRequest.model_validate({"procedure": held["procedure"] | misfit}))
            await queue.stop(QueueStopRequest(now=True, requested_by="a program"))
            async for event in events:
                if event.fields.get("new_state") == "STOPPED":
                    break
            shown = await queue.read()
            assert shown.reason == f"It was stopped by a program (process {os.getpid()} on localhost)"
            assert [entry.state for entry in shown.entries] == [
                QueueEntryState.STOPPED,
                QueueEntryState.WAITING,
            ]
            assert [entry.id for entry in await queue.clear()] == [first.id]

    asyncio.run(use())


def test_a_program_without_asyncio_reads_the_queue_page_by_page(stack: OetStack) -> None:
    embedded = {"procedure": {"script": {"script_type": "embedded", "script": "def main(): ..."}}}
    with SyncController(stack.device) as oet:
        ids = [
            entry.id for entry in oet.queue.add(QueueAddRequest.model_validate({"entries": [embedded] * 5}))
        ]
        first = oet.queue.page(QueueQuery(limit=2))
        assert [entry.id for entry in first.entries][-2:] == ids[:2]
        assert (first.length, first.next) == (5, ids[1])
        rest = oet.queue.page(QueueQuery(after=first.next))
        assert ([entry.id for entry in rest.entries], rest.next) == (ids[2:], None)
        oet.queue.move(QueueMoveRequest(id=ids[4], position="front"))
        (changed,) = oet.queue.update(QueueUpdateRequest(id=ids[4], note="Ω"))
        assert changed.request.note == "Ω"
        assert [entry.id for entry in oet.queue.remove(QueueRemoveRequest(id=ids[0]))] == [ids[0]]
        with pytest.raises(NotFoundError):
            oet.queue.page(QueueQuery(after=ids[0]))
        removed = oet.queue.entry(ids[0])
        assert removed.state is QueueEntryState.REMOVED
        assert removed.request.procedure is not None
        with pytest.raises(NotFoundError):
            oet.queue.entry(9999)
        oet.queue.start()
        oet.queue.stop()
        oet.queue.clear()
        assert oet.queue.read().length in (0, 1)
