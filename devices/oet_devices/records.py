"""Queries about records of procedures: files, and the environments that they ran in."""

from ska_oso_oet.model import FileQuery, ProcedureQuery

from .arguments import parse
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json
from .procedures import Procedures

_ANY_DATA = "application/octet-stream"


class Records:
    """Answers to queries about records of procedures.

    :param keeper: keeps the executor whose procedures they are
    :param procedures: finds the procedure of a query
    """

    def __init__(self, keeper: ExecutorKeeper, procedures: Procedures) -> None:
        self._keeper = keeper
        self._procedures = procedures

    def files(self, argin: str) -> str:
        """Answer GetFiles."""

        def files(executor: Executor) -> str:
            procedure_id = self._procedures.id_of(parse(ProcedureQuery, argin).pid)
            return ascii_json(executor.service.records.files(procedure_id).model_dump_json())

        return self._keeper.answer("GetFiles", files)

    def file(self, argin: str) -> tuple[str, bytes]:
        """Answer GetFile."""

        def file(executor: Executor) -> tuple[str, bytes]:
            query = parse(FileQuery, argin)
            procedure_id = self._procedures.id_of(query.pid)
            records = executor.service.records
            return _ANY_DATA, records.read_file(procedure_id, query.name, query.offset, query.limit)

        return self._keeper.answer("GetFile", file)

    def environment(self, argin: str) -> str:
        """Answer GetEnvironment."""

        def environment(executor: Executor) -> str:
            procedure_id = self._procedures.id_of(parse(ProcedureQuery, argin).pid)
            return ascii_json(executor.service.records.environment(procedure_id).model_dump_json())

        return self._keeper.answer("GetEnvironment", environment)
