"""Attributes and queries about procedures and scripts."""

from collections.abc import Sequence
from enum import IntEnum

from oet_devices.ska.texts import tango_text
from ska_oso_oet.journal import Document
from ska_oso_oet.model import (
    HistoryQuery,
    LastCreatedError,
    Output,
    OutputQuery,
    ProcedureState,
    Requester,
    last_created_by,
)
from ska_oso_oet.procedure.application import history
from ska_oso_oet.procedure.application.recorder import listed_text
from ska_oso_oet.procedure.domain import NotKeptError, ProcedureNotFoundError, StateForbidsError
from ska_oso_oet.procedure.execution.output import TAIL_LINES

from .arguments import parse, parse_create
from .executor import Executor
from .executor_keeper import ExecutorKeeper
from .json_text import ascii_json, json_list
from .status_line import Brief, StatusLine

# Tango numbers the labels of an enumeration from 0.
ProcedureStateLabel = IntEnum(  # type: ignore[misc]
    "ProcedureStateLabel", [state.name for state in ProcedureState], start=0
)
_LABELS = {state: ProcedureStateLabel[state.name] for state in ProcedureState}


def state_label(current: Brief | None) -> ProcedureStateLabel:
    """Return the state of the current procedure, UNKNOWN if there is none."""
    return _LABELS[ProcedureState.UNKNOWN if current is None else current.state]


class Procedures:
    """Attributes of procedures, and answers to queries about them.

    :param keeper: keeps the executor whose procedures they are
    :param status_line: the live procedures and the last one
    """

    def __init__(self, keeper: ExecutorKeeper, status_line: StatusLine) -> None:
        self._keeper = keeper
        self._status_line = status_line
        self._listed: dict[int, tuple[Document, str]] = {}
        self._shown: tuple[Sequence[Document], str] = (), "[]"

    def summaries(self) -> str:
        """Return the summaries of all procedures that are listed, as a JSON list.

        :raises tango.DevFailed: if they are not known because of a fault
        """
        executor = self._keeper.for_reading()
        documents = executor.service.view.all() if executor is not None else ()
        shown, text = self._shown
        if documents is shown:
            return text
        # Most documents are those of the last time.
        known, listed = self._listed, {}
        for document in documents:
            entry = known.get(document.id)
            if entry is None or entry[0] is not document:
                entry = document, listed_text(document)
            listed[document.id] = entry
        self._listed = listed
        text = json_list(each for _, each in listed.values())
        self._shown = documents, text
        return text

    def state(self) -> ProcedureStateLabel:
        """Return the state of the current procedure."""
        return state_label(self._status_line.current)

    def output_tail(self) -> list[str]:
        """Return the last lines of the output of the current procedure."""
        current, executor = self._status_line.current, self._keeper.executor
        if current is None or executor is None:
            return []
        try:
            lines = executor.service.output(current.id).tail()
        except (ProcedureNotFoundError, NotKeptError):
            return []
        return [tango_text(line) for line in lines[-TAIL_LINES:]]

    def last_output_line(self) -> str:
        """Return the newest line of the output of the current procedure, empty if there is none."""
        return next(iter(self.output_tail()[-1:]), "")

    def id_of(self, named: int | None) -> int:
        """Return the ID of the requested procedure; without one, or with 0, the last one.

        :raises ProcedureNotFoundError: if there is none yet
        """
        procedure_id = named or self._status_line.last
        if procedure_id == 0:
            raise ProcedureNotFoundError("no procedure has been created yet")
        return procedure_id

    def last_of(self, client: Requester | None) -> int:
        """Return the ID of the procedure that a client has created last.

        :param client: the client, None if it is not known
        :raises ProcedureNotFoundError: if there is none yet
        :raises StateForbidsError: if another client has created one since
        """
        executor = self._keeper.require()
        try:
            last = last_created_by(client, (document.value for document in executor.service.view.all()))
        except LastCreatedError as error:
            raise StateForbidsError(str(error)) from None
        return self.id_of(None) if last is None else last.id

    def describe(self, argin: int) -> str:
        """Answer DescribeProcedure."""

        def describe(executor: Executor) -> str:
            document = executor.service.view.get(self.id_of(argin))
            if document is None:
                raise ProcedureNotFoundError(f"No information available for PID={argin}")
            return ascii_json(document.text)

        return self._keeper.answer("DescribeProcedure", describe)

    def find(self, argin: str) -> str:
        """Answer GetProcedures."""

        def answer(executor: Executor) -> str:
            documents, following = history.find(executor.service.view, parse(HistoryQuery, argin))
            found = json_list(map(listed_text, documents))
            return f'{{"procedures":{found},"next":{"null" if following is None else following}}}'

        return self._keeper.answer("GetProcedures", answer)

    def output(self, argin: str) -> str:
        """Answer GetOutput."""

        def output(executor: Executor) -> str:
            query = parse(OutputQuery, argin)
            procedure_id = self.id_of(query.pid)
            # Read first: if the procedure has ended, all of its output can be read.
            has_ended = executor.service.summary(procedure_id).state.is_final
            first, lines = executor.service.output(procedure_id).read(query.after, query.limit)
            found = Output(
                lines=lines,
                next=first + len(lines),
                dropped=max(0, first - query.after),
                ended=has_ended and len(lines) < query.limit,
            )
            return ascii_json(found.model_dump_json())

        return self._keeper.answer("GetOutput", output)


class Scripts:
    """The scripts that can be run from the script roots.

    :param keeper: keeps the executor that would run them
    """

    def __init__(self, keeper: ExecutorKeeper) -> None:
        self._keeper = keeper

    def uris(self) -> tuple[str, ...]:
        """Return the URIs of the scripts."""
        executor = self._keeper.executor
        return executor.scripts.uris if executor is not None else ()

    def describe(self, argin: str) -> str:
        """Answer DescribeScript."""

        def describe(executor: Executor) -> str:
            script = parse_create(argin).script
            return ascii_json(executor.service.describe(script).model_dump_json())

        return self._keeper.answer("DescribeScript", describe)
