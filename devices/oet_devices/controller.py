"""The Tango device class OETController."""

import time
from concurrent.futures import Future
from contextlib import suppress

from tango.server import class_property, command

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.replies import Reply, accepted
from ska_oso_oet.procedure.application import Origin, StartProcessCommand, StopOutcome, StopProcessCommand
from ska_oso_oet.procedure.domain import ProcedureNotFound, StateForbids
from ska_oso_oet.procedure.ui import to_prepare_command, to_procedure_input

from .activity_device import ActivityDevice
from .aims import procedure_complete, procedure_ready
from .arguments import parse_create, parse_start, parse_stop
from .command_device import ACCEPTED, SOURCE
from .document_commands import Aim
from .executor import Executor

QUERY_COMMANDS = (
    "CheckLongRunningCommandStatus",
    "DescribeActivity",
    "DescribeProcedure",
    "GetEvents",
    "GetOutput",
    "GetVersionInfo",
)
"""Commands that change nothing."""


class OETController(ActivityDevice):
    """Runs observing scripts, one after the other, each in a process of its own.

    Create prepares a script, Start runs its main function, Stop ends it; RunActivity does what a Scheduling
    Block says. The attributes procedures, activities, events and scriptOutput show what happens.
    """

    AllowedAccessCmd = class_property(
        dtype="DevVarStringArray",
        default_value=list(QUERY_COMMANDS),
        doc="Commands that Tango's access control lets users with read access send, beside State and Status. "
        "It counts what the Tango database says: without an entry there, they may send none.",
    )

    @command(
        dtype_in="DevString",
        doc_in="URI of a script, e.g. file:///scripts/observe.py, or JSON: "
        '{"script": {"script_type": "filesystem", "script_uri": "file:///scripts/observe.py"}, '
        '"script_args": {"init": {"args": [], "kwargs": {"subarray_id": 1}}}}',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Create(self, argin: str) -> Reply:
        """Prepare a script: load it in a process of its own and call its init. Ends when it is READY."""

        def create(executor: Executor) -> Reply:
            request = to_prepare_command(parse_create(argin))
            self.commands.require_room("Create")
            summary = executor.service.prepare(request, self.origin("Create"))
            return self._follow("Create", str(summary.command_id), summary.id, procedure_ready)

        return self.take("Create", create)

    @command(
        dtype_in="DevString",
        doc_in="Nothing for the procedure that was created last, its ID, e.g. 2, or JSON: "
        '{"pid": 2, "script_args": {"main": {"args": [], "kwargs": {"scans": 3}}}}',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Start(self, argin: str) -> Reply:
        """Run main of a procedure that is READY. Ends when the script has ended."""

        def start(executor: Executor) -> Reply:
            request = parse_start(argin)
            procedure_id = self._procedure_id(request.pid)
            command_id = self.command_ids.new("Start", procedure_id)
            arguments = to_procedure_input(request.script_args.get("main"))
            if "init" in request.script_args:
                raise ValueError("arguments of init are given to Create: its call of init is over")
            self.commands.require_room("Start")
            executor.service.start(
                StartProcessCommand(procedure_id, "main", arguments), Origin(SOURCE, time.time())
            )
            return self._follow("Start", command_id, procedure_id, procedure_complete)

        return self.take("Start", start)

    @command(
        dtype_in="DevString",
        doc_in='Nothing for the procedure that runs, its ID, e.g. 2, or JSON: {"pid": 2, "abort": true}',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Stop(self, argin: str) -> Reply:
        """Stop a procedure, by force if need be. Ends when it has stopped and the abort script has ended."""

        def stop(executor: Executor) -> Reply:
            request = parse_stop(argin)
            procedure_id = request.pid or executor.service.manager.running
            if procedure_id is None:
                raise StateForbids("no script is running: name the procedure to stop, e.g. 2")
            self.commands.require_room("Stop")
            command_id = self.command_ids.new("Stop", procedure_id)
            stopping = executor.service.request_stop(
                StopProcessCommand(procedure_id, request.abort), Origin(SOURCE, time.time())
            )
            # The script is being stopped by now, however long the journal takes to note it.
            executor.bus.committed().result()
            handle = self.commands.begin(
                "Stop", command_id, on_abort=lambda: _stop(executor, stopping.abort_id)
            )
            handle.started()
            stopping.add_done_callback(lambda done: _report_stop(handle, done))
            return accepted(handle, ResultCode.STARTED)

        return self.take("Stop", stop)

    def _follow(self, name: str, command_id: str, procedure_id: int, aim: Aim) -> Reply:
        """Begin a long-running command that is about a procedure."""
        executor = self.require_executor()
        handle = self.commands.begin(
            name,
            command_id,
            on_abort=lambda: _stop(executor, procedure_id),
            pointer=f"See DescribeProcedure({procedure_id}).",
        )
        answer = self.follow(handle, self._procedure_commands, procedure_id, aim, executor.service.view)
        # The script may have told its progress before there was a command to tell it to.
        if (progress := self._board.progress_of(procedure_id)) is not None:
            handle.progress(progress)
        return answer


def _stop(executor: Executor, procedure_id: int | None) -> None:
    if procedure_id is None:
        return
    with suppress(StateForbids, ProcedureNotFound):  # it may have ended by itself, and its command with it
        executor.service.request_stop(StopProcessCommand(procedure_id, run_abort=False))


def _report_stop(handle: CommandHandle, outcome: "Future[StopOutcome]") -> None:
    if (error := outcome.exception()) is not None:
        handle.failed(str(error))
    elif outcome.result().abort_failure is not None and handle.abort_requested:
        handle.aborted()
    else:
        handle.completed(outcome.result().message)
