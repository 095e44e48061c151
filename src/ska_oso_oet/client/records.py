"""Client for the records that a controller keeps of procedures."""

from collections.abc import AsyncIterator

from ska_oso_oet.model import (
    MAX_PART,
    FileList,
    FileQuery,
    HistoryQuery,
    Model,
    ProcedurePage,
    ProcedureQuery,
    PythonEnvironment,
)

from .link import DeviceLink


class Records:
    """Reads records of procedures. All methods raise a `ControllerError` that describes the fault.

    :param link: to the device
    """

    def __init__(self, link: DeviceLink) -> None:
        self._link = link

    async def find(self, query: HistoryQuery) -> ProcedurePage:
        """Return procedures, newest first, of all that are kept: one page.

        :param query: which procedures; read on with `ProcedurePage.next` as its ``before``
        """
        return ProcedurePage.model_validate_json(await self._ask("GetProcedures", query))

    async def files(self, procedure_id: int | None = None) -> FileList:
        """Return the files of a procedure.

        :param procedure_id: the procedure; None for the one that was created last
        """
        query = ProcedureQuery(pid=procedure_id)
        return FileList.model_validate_json(await self._ask("GetFiles", query))

    async def file(self, procedure_id: int, name: str, limit: int | None = None) -> AsyncIterator[bytes]:
        """Return the content of a file of a procedure, part by part.

        :param procedure_id: the procedure
        :param name: path of the file in the working directory of its script
        :param limit: bytes after which to end, where the file grows; None for no limit
        :raises NotFoundError: if there is no such file
        :raises NotKeptError: if it is not kept
        """
        first = await self._part(procedure_id, name, 0, limit)

        async def parts() -> AsyncIterator[bytes]:
            part, offset = first, 0
            while part:
                yield part
                offset += len(part)
                part = await self._part(procedure_id, name, offset, limit)

        return parts()

    async def _part(self, procedure_id: int, name: str, offset: int, limit: int | None) -> bytes:
        size = MAX_PART if limit is None else min(MAX_PART, limit - offset)
        if size <= 0 and offset:
            return b""
        query = FileQuery(pid=procedure_id, name=name, offset=offset, limit=max(size, 1))
        _, data = await self._link.command("GetFile", query.model_dump_json(ensure_ascii=True))
        return bytes(data)[: max(size, 0)]  # of a file that was empty, nothing

    async def environment(self, procedure_id: int | None = None) -> PythonEnvironment:
        """Return the Python environment that a procedure ran in.

        :param procedure_id: the procedure; None for the one that was created last
        :raises NotKeptError: if it is not known
        """
        query = ProcedureQuery(pid=procedure_id)
        return PythonEnvironment.model_validate_json(await self._ask("GetEnvironment", query))

    async def last_event_id(self) -> int:
        """Return the number of the newest event, 0 before the first."""
        return int(await self._link.read("lastEventId"))

    async def _ask(self, command: str, query: Model) -> str:
        answer: str = await self._link.command(command, query.model_dump_json(ensure_ascii=True))
        return answer
