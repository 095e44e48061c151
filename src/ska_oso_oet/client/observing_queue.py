"""The observing queue of a controller."""

from ska_oso_oet.model import (
    Model,
    Queue,
    QueueAddRequest,
    QueueClearRequest,
    QueueCondition,
    QueueEntries,
    QueueEntry,
    QueueMoveRequest,
    QueueQuery,
    QueueRemoveRequest,
    QueueStartRequest,
    QueueStopRequest,
    QueueUpdateRequest,
)

from .link import DeviceLink


class ObservingQueue:
    """Reads and changes the queue. All methods raise a `ControllerError` that describes the fault.

    :param link: to the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link

    async def read(self) -> Queue:
        """Return the queue: its first page."""
        return Queue.model_validate_json(await self.read_json())

    async def read_json(self) -> str:
        """Return the queue as JSON, for those who pass it on."""
        text: str = await self._link.read("queue")
        return text

    async def page(self, query: QueueQuery) -> Queue:
        """Return a part of the queue.

        :param query: which part; read on with `Queue.next` as its ``after``
        :raises NotFoundError: if it begins after an entry that is no longer in the queue
        """
        return Queue.model_validate_json(await self.page_json(query))

    async def page_json(self, query: QueueQuery) -> str:
        """Return a part of the queue as JSON, for those who pass it on; see `page`."""
        return await self._ask("GetQueue", query)

    async def entry(self, entry_id: int) -> QueueEntry:
        """Return an entry, also one that has ended.

        :param entry_id: its ID
        :raises NotFoundError: if there is none, or it is no longer kept
        """
        return QueueEntry.model_validate_json(await self._link.command("DescribeQueueEntry", entry_id))

    async def add(self, request: QueueAddRequest) -> list[QueueEntry]:
        """Add entries, all or none.

        :param request: the entries, and where they are put
        :returns: the new entries
        :raises NotFoundError: if the position refers to an entry that is not in the queue
        :raises InvalidRequestError: if what an entry is to run cannot be accepted
        """
        return await self._change("QueueAdd", request)

    async def move(self, request: QueueMoveRequest) -> list[QueueEntry]:
        """Move an entry that has not begun.

        :param request: the entry, and where it is put
        :raises NotFoundError: if it, or the entry of its new position, is not in the queue
        :raises RequestRejectedError: if it has begun
        """
        return await self._change("QueueMove", request)

    async def update(self, request: QueueUpdateRequest) -> list[QueueEntry]:
        """Change what an entry that has not begun is to run, or when.

        :param request: the entry, and what is to be changed
        :raises NotFoundError: if it is not in the queue
        :raises RequestRejectedError: if it has begun
        :raises InvalidRequestError: if the changes cannot be accepted
        """
        return await self._change("QueueUpdate", request)

    async def remove(self, request: QueueRemoveRequest) -> list[QueueEntry]:
        """Remove an entry that has not begun, and return it.

        :param request: the entry
        :raises NotFoundError: if it is not in the queue
        :raises RequestRejectedError: if it has begun
        """
        return await self._change("QueueRemove", request)

    async def clear(self, request: QueueClearRequest | None = None) -> list[QueueEntry]:
        """Remove all entries that have not begun, and return them.

        :param request: the requester; by default the Tango client
        """
        return await self._change("QueueClear", request or QueueClearRequest())

    async def start(self, request: QueueStartRequest | None = None) -> QueueCondition:
        """Run the entries, one after the other.

        :param request: the requester; by default the Tango client
        :raises RequestRejectedError: if the state of the controller forbids it
        """
        return QueueCondition.model_validate_json(
            await self._ask("QueueStart", request or QueueStartRequest())
        )

    async def stop(self, request: QueueStopRequest | None = None) -> QueueCondition:
        """Begin no further entry.

        :param request: whether the entry that runs is stopped, too; by default it is not
        """
        return QueueCondition.model_validate_json(await self._ask("QueueStop", request or QueueStopRequest()))

    async def _change(self, command: str, request: Model) -> list[QueueEntry]:
        return QueueEntries.model_validate_json(await self._ask(command, request)).entries

    async def _ask(self, command: str, request: Model) -> str:
        # Only fields that are set are sent: an update changes only these.
        argument = request.model_dump_json(exclude_unset=True, ensure_ascii=True)
        answer: str = await self._link.command(command, argument)
        return answer
