"""The part of the controller that shows procedures, events and output."""

import json
from collections.abc import Callable
from enum import IntEnum
from itertools import islice
from typing import TypeVar

import tango
from tango.server import attribute, command

from oet_devices.ska.operation import way_out
from oet_devices.ska.texts import tango_text
from ska_oso_oet.event.bus import Batch
from ska_oso_oet.event.journal import JournalEvent
from ska_oso_oet.model import EventQuery, Output, OutputQuery, ProcedureState
from ska_oso_oet.procedure.application.recorder import KIND
from ska_oso_oet.procedure.domain import ProcedureNotFound
from ska_oso_oet.procedure.domain.output import TAIL_LINES

from .aims import procedure_complete
from .arguments import REFUSALS, parse, refuse
from .board import Board
from .document_commands import DocumentCommands
from .executor import Executor
from .executor_device import ExecutorDevice
from .json_text import ascii_json

T = TypeVar("T")

MAX_SCRIPTS = 1024
_PROGRESS_TOPIC = "user.script.progress"
_AS_TOLD = frozenset({tango.DevState.ON, tango.DevState.FAULT})
"""States of which Status says enough: nothing is in the way, or it says itself what is, and what to do."""
_LAST = "0 for the last one created"

# Tango numbers the labels of an enumeration from 0.
ProcedureStateLabel = IntEnum(  # type: ignore[misc]
    "ProcedureStateLabel", [state.name for state in ProcedureState], start=0
)


class ProcedureDevice(ExecutorDevice):
    """A device that shows what its executor has done and is doing."""

    def init_device(self) -> None:
        """Show nothing, until there is an executor."""
        if "_board" not in self.__dict__:
            self._board = Board()
            self._last_event = JournalEvent(0, "", "{}")
            self._scripts: list[str] = []
            self._procedure_commands = DocumentCommands()
        super().init_device()

    def on_executor(self, executor: Executor) -> None:
        """Show what the executor remembers."""
        self._board = Board()
        self._show_all(executor)
        # Clients look for a gap after this number, even if the event that bore it is lost.
        self._last_event = executor.newest_event or JournalEvent(executor.bus.journal.last_seq, "", "{}")
        self._scripts = list(islice(executor.roots.list(), MAX_SCRIPTS))
        self.publish("lastEventId", self._last_event.seq)
        self.publish("scripts", self._scripts)
        self._publish_procedures()

    def on_recall(self) -> None:
        """Show what the executor remembers only now. Runs in a thread of the journal."""
        if self._executor is not None:
            self._show_all(self._executor)
            self._publish_procedures()

    def _show_all(self, executor: Executor) -> None:
        for document in executor.service.view.all():
            self._board.show(document)

    def on_batch(self, batch: Batch) -> None:
        """Announce what has been committed. Runs in the thread of the bus, so it only leaves notes."""
        progress = [told for event in batch.events if (told := self._note_progress(event)) is not None]
        procedures = [document for document in batch.documents if document.kind == KIND]
        # Noted before anybody is told: who hears of an event and looks finds no attribute older than that.
        for document in procedures:
            self._board.show(document)
        if batch.events:
            self._last_event = batch.events[-1]
            self.publisher.submit_all([("events", ascii_json(event.text)) for event in batch.events])
            self.publisher.submit_latest("lastEventId", self._last_event.seq)
        for procedure_id, percent in progress:
            self.on_progress(procedure_id, percent)
        for document in procedures:
            self._procedure_commands.on_document(document)
        if procedures:
            self._publish_procedures()
        if procedures or progress:
            self.announce_status()

    def _note_progress(self, event: JournalEvent) -> tuple[int, int] | None:
        """Take note of a script's progress. Returns procedure and percentage, None if there is no news."""
        if event.topic != _PROGRESS_TOPIC:
            return None
        told = json.loads(event.text)
        try:
            procedure_id, percent = int(told["msg_src"]), round(float(told["progress"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            return None  # a script may say what it likes: this is no progress of a procedure
        percent = min(max(percent, 0), 100)
        step = None if told.get("msg") is None else str(told["msg"])
        return (procedure_id, percent) if self._board.show_progress(procedure_id, percent, step) else None

    def on_progress(self, procedure_id: int, percent: int) -> None:
        """Report the progress of a script to the command that has started it."""
        self._procedure_commands.on_progress(procedure_id, percent, of=procedure_complete)

    def on_output(self, procedure_id: int) -> None:
        """Announce the last lines of the current procedure's output, as often as can be."""
        current = self._board.current
        if current is None or current.id == procedure_id:
            self.publisher.submit_latest("scriptOutput", self._output_tail)

    def _publish_procedures(self) -> None:
        self.publisher.submit_latest("procedures", self._procedures_json)
        self.publisher.submit_latest("runningProcedure", lambda: self._board.running)
        self.publisher.submit_latest("lastProcedure", lambda: self._board.last)
        self.publisher.submit_latest("procedureState", self._procedure_state)
        self.publisher.submit_latest("scriptOutput", self._output_tail)

    def describe(self) -> str:
        """Say in a line what is going on, and in another how to go on if nothing new can be begun."""
        if self._executor is None:
            return super().describe()
        standby = self._executor.service.manager.standby_workers
        workers = "1 standby worker." if standby == 1 else f"{standby} standby workers."
        told = f"{self._board.describe()} {workers}"
        if self._state in _AS_TOLD:
            return told
        return f"{told}\nNothing can be created or started in state {self._state}. {way_out(self._state)}"

    def require_executor(self) -> Executor:
        """Return the executor.

        :raises tango.DevFailed: if there is none
        """
        if self._executor is not None:
            return self._executor
        reason = self._executor_fault or self.property_fault or "There is no executor."
        tango.Except.throw_exception("OET_NotAvailable", tango_text(reason), "OETController")
        raise AssertionError("throw_exception raises")

    def answer(self, name: str, query: Callable[[Executor], T]) -> T:
        """Return the answer to a query, or raise what a client is to see of its failure.

        :param name: name of the command
        :param query: finds the answer
        :raises tango.DevFailed: if the query is not valid, or there is no executor
        """
        executor = self.require_executor()
        try:
            return query(executor)
        except REFUSALS as error:
            refuse(error, name)

    # What attributes show

    def _procedures_json(self) -> str:
        documents = self._executor.service.view.all() if self._executor is not None else []
        return ascii_json(f"[{','.join(document.text for document in documents)}]")

    def _procedure_state(self) -> ProcedureStateLabel:
        current = self._board.current
        return ProcedureStateLabel[(current.state if current else ProcedureState.UNKNOWN).name]

    def _output_tail(self) -> list[str]:
        current = self._board.current
        if current is None or self._executor is None:
            return []
        try:
            lines = self._executor.service.output(current.id).tail()
        except ProcedureNotFound:
            return []
        return [tango_text(line) for line in lines[-TAIL_LINES:]]

    @attribute(dtype="DevString", label="Procedures")
    def procedures(self) -> str:
        """JSON list of summaries: all procedures that are live, and the newest that have ended."""
        return self._procedures_json()

    @attribute(dtype="DevString", label="Events")
    def events(self) -> str:
        """The newest event, as JSON. There is one change event for each event of the bus, in order."""
        return ascii_json(self._last_event.text)

    @attribute(dtype="DevLong64", label="Last event", display_level=tango.DispLevel.EXPERT)
    def lastEventId(self) -> int:
        """Number (seq) of the newest event, 0 before the first."""
        return self._last_event.seq

    @attribute(dtype="DevLong", label="Running procedure")
    def runningProcedure(self) -> int:
        """ID of the procedure that runs main, 0 if there is none."""
        return self._board.running

    @attribute(dtype="DevLong", label="Last procedure")
    def lastProcedure(self) -> int:
        """ID of the procedure that was created last, 0 if there is none."""
        return self._board.last

    @attribute(dtype=ProcedureStateLabel, label="Procedure state")
    def procedureState(self) -> ProcedureStateLabel:
        """State of the procedure that runs, else of the last one; UNKNOWN before the first."""
        return self._procedure_state()

    @attribute(dtype=("DevString",), max_dim_x=TAIL_LINES, label="Script output")
    def scriptOutput(self) -> list[str]:
        """Last lines of the output of the procedure that runs, else of the last one. See GetOutput."""
        return self._output_tail()

    @attribute(dtype=("DevString",), max_dim_x=MAX_SCRIPTS, label="Scripts")
    def scripts(self) -> list[str]:
        """URIs of the scripts that can be run from the script roots."""
        if self._executor is not None:
            found = list(islice(self._executor.roots.list(), MAX_SCRIPTS))
            if found != self._scripts:
                self._scripts = found
                self.publish("scripts", found)
        return self._scripts

    # Queries

    @command(
        dtype_in="DevLong",
        doc_in=f"ID of a procedure, {_LAST}",
        dtype_out="DevString",
        doc_out="Its summary as JSON: script, arguments, states with their times, stack trace",
    )
    def DescribeProcedure(self, argin: int) -> str:
        """Describe a procedure, also one that is no longer listed."""

        def describe(executor: Executor) -> str:
            document = executor.service.view.get(self._procedure_id(argin))
            if document is None:
                raise ProcedureNotFound(f"No information available for PID={argin}")
            return ascii_json(document.text)

        return self.answer("DescribeProcedure", describe)

    @command(
        dtype_in="DevString",
        doc_in='JSON: {"after": seq, "limit": n, "topic": "prefix"}, each of them optional',
        dtype_out="DevString",
        doc_out="JSON list of events with a greater number, oldest first; "
        "fewer if they are long: read on until there are none",
        display_level=tango.DispLevel.EXPERT,
    )
    def GetEvents(self, argin: str) -> str:
        """Return events that have happened, e.g. those of which the change events were missed."""

        def events(executor: Executor) -> str:
            query = parse(EventQuery, argin)
            found = executor.bus.journal.read_events(query.after, query.limit, query.topic)
            return ascii_json(f"[{','.join(event.text for event in found)}]")

        return self.answer("GetEvents", events)

    @command(
        dtype_in="DevString",
        doc_in='JSON: {"pid": 2, "after": line, "limit": n}, each of them optional',
        dtype_out="DevString",
        doc_out='JSON: {"lines": [...], "next": line, "dropped": n}; read on with "after" = "next"',
    )
    def GetOutput(self, argin: str) -> str:
        """Return lines that a script has written to its standard output and error."""

        def output(executor: Executor) -> str:
            query = parse(OutputQuery, argin)
            log = executor.service.output(self._procedure_id(query.pid))
            first, lines = log.read(query.after, query.limit)
            told = Output(lines=lines, next=first + len(lines), dropped=max(0, first - query.after))
            return ascii_json(told.model_dump_json())

        return self.answer("GetOutput", output)

    def _procedure_id(self, named: int | None) -> int:
        """Return the procedure that is meant; nothing or 0 means the last one.

        :raises ProcedureNotFound: if there is none yet
        """
        procedure_id = named or self._board.last
        if procedure_id == 0:
            raise ProcedureNotFound("no procedure has been created yet")
        return procedure_id
