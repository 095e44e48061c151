"""Records of procedures in addition to their summaries: files, and packages of their environments."""

from collections.abc import Callable

from ska_oso_oet.model import FileList, ProcedureSummary, PythonEnvironment

from ..domain.errors import NotKeptError, ProcedureFileNotFoundError
from ..domain.settings import ExecutorSettings
from ..execution.environment_records import EnvironmentRecords
from ..execution.kept_files import KEPT_PROCEDURES, KeptFiles, list_files, read_part
from ..execution.working_directories import working_directories


class RunRecords:
    """Reads the records of procedures, and the files of those that are live.

    :param settings: how scripts are executed
    :param summary: returns the summary of a procedure
    """

    def __init__(self, settings: ExecutorSettings, summary: Callable[[int], ProcedureSummary]) -> None:
        self._limit = settings.files_limit
        self._working = working_directories(settings.state_directory)
        self._kept = KeptFiles(settings.state_directory, settings.files_limit)
        self._environments = EnvironmentRecords(settings.state_directory)
        self._summary = summary

    def files(self, procedure_id: int) -> FileList:
        """Return the files of a procedure; of one that is live, those that are there at present.

        :raises ProcedureNotFoundError: if it does not exist, or is no longer kept
        """
        summary = self._summary(procedure_id)
        if summary.state.is_final:
            return FileList(files=summary.files, omitted=summary.files_omitted)
        found = list_files(self._working / str(procedure_id), self._limit)
        return FileList(files=found.files, omitted=found.omitted)

    def read_file(self, procedure_id: int, name: str, offset: int, limit: int) -> bytes:
        """Return a part of a file, empty at its end.

        :param procedure_id: the procedure
        :param name: path of the file within the working directory
        :param offset: bytes to skip
        :param limit: how many bytes at most
        :raises ProcedureNotFoundError: if there is no such procedure
        :raises ProcedureFileNotFoundError: if it has no such file
        :raises NotKeptError: if the file is not kept
        """
        summary = self._summary(procedure_id)
        for folder in (self._working / str(procedure_id), *self._kept.folders_of(procedure_id)):
            if (part := read_part(folder, name, offset, limit)) is not None:
                return part
        raise self._missing(summary, name)

    def _missing(self, summary: ProcedureSummary, name: str) -> Exception:
        listed = {file.name: file for file in summary.files}
        if name not in listed:
            return ProcedureFileNotFoundError(
                f"Procedure {summary.id} has no file {name[:200]!r}: see the list of its files."
            )
        if not listed[name].kept:
            return NotKeptError(
                f"The file {name!r} of procedure {summary.id} is not kept: it has {listed[name].size} bytes, "
                f"and of one procedure {self._limit} are kept (property FilesLimit)."
            )
        return NotKeptError(
            f"The files of procedure {summary.id} are not kept: those of the newest {KEPT_PROCEDURES} "
            "procedures with files are."
        )

    def environment(self, procedure_id: int) -> PythonEnvironment:
        """Return the Python environment that a procedure ran in.

        :raises ProcedureNotFoundError: if there is no such procedure
        :raises NotKeptError: if that is not known
        """
        summary = self._summary(procedure_id)
        if summary.environment is None:
            raise NotKeptError(
                f"The environment of procedure {procedure_id} is not known: its script was not loaded."
            )
        if (found := self._environments.read(summary.environment)) is None:
            raise NotKeptError(f"The packages of procedure {procedure_id} are not kept.")
        return found
