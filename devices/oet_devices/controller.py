"""The Tango device class OETController."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from tango import DevState
from tango.server import class_property, command

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.commands import TooManyCommandsError
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.replies import Reply, accepted, refused
from ska_oso_oet.procedure.application import (
    Origin,
    StartProcessCommand,
    StopOutcome,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import ProcedureNotFound, StateForbids
from ska_oso_oet.procedure.ui import to_prepare_command, to_procedure_input

from .arguments import REFUSALS, parse_create, parse_start, parse_stop, refuse
from .executor import Executor
from .procedure_commands import Aim
from .procedure_device import ProcedureDevice

_ACCEPTED = "STARTED and the ID of the long-running command, or REJECTED and the reason"

_SOURCE = "OETController"

QUERY_COMMANDS = (
    "CheckLongRunningCommandStatus",
    "DescribeProcedure",
    "GetEvents",
    "GetOutput",
    "GetVersionInfo",
)
"""Commands that change nothing."""


class OETController(ProcedureDevice):
    """Runs observing scripts, one after the other, each in a process of its own.

    Create prepares a script, Start runs its main function, Stop ends it; the attributes procedures,
    events and scriptOutput show what happens.
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
        doc_out=_ACCEPTED,
    )
    def Create(self, argin: str) -> Reply:
        """Prepare a script: load it in a process of its own and call its init. Ends when it is READY."""

        def create(executor: Executor) -> Reply:
            request = to_prepare_command(parse_create(argin))
            self.commands.require_room("Create")
            summary = executor.service.prepare(request, self._origin("Create"))
            return self._follow("Create", str(summary.command_id), summary.id, Aim.READY)

        return self._take("Create", create)

    @command(
        dtype_in="DevString",
        doc_in="Nothing for the procedure that was created last, its ID, e.g. 2, or JSON: "
        '{"pid": 2, "script_args": {"main": {"args": [], "kwargs": {"scans": 3}}}}',
        dtype_out="DevVarLongStringArray",
        doc_out=_ACCEPTED,
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
                StartProcessCommand(procedure_id, "main", arguments), Origin(_SOURCE, time.time())
            )
            return self._follow("Start", command_id, procedure_id, Aim.COMPLETE)

        return self._take("Start", start)

    @command(
        dtype_in="DevString",
        doc_in='Nothing for the procedure that runs, its ID, e.g. 2, or JSON: {"pid": 2, "abort": true}',
        dtype_out="DevVarLongStringArray",
        doc_out=_ACCEPTED,
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
            outcome = executor.service.request_stop(
                StopProcessCommand(procedure_id, request.abort), Origin(_SOURCE, time.time())
            )
            handle = self.commands.begin("Stop", command_id)
            handle.started()
            outcome.add_done_callback(lambda done: _report_stop(handle, done))
            return accepted(handle, ResultCode.STARTED)

        return self._take("Stop", stop)

    def _take(self, name: str, carry_out: Callable[[Executor], Reply]) -> Reply:
        """Take a command, refuse it as its state demands, or raise what is wrong with its argument.

        :raises tango.DevFailed: if the argument is not valid
        """
        if self._state != DevState.ON and not (name == "Stop" and self._executor is not None):
            return self._not_allowed(name)
        try:
            return carry_out(self.require_executor())
        except (StateForbids, TooManyCommandsError) as error:
            return refused(str(error))
        except REFUSALS as error:
            refuse(error, name)

    def _origin(self, name: str) -> Origin:
        return Origin(_SOURCE, time.time(), lambda procedure_id: self.command_ids.new(name, procedure_id))

    def _follow(self, name: str, command_id: str, procedure_id: int, aim: Aim) -> Reply:
        """Begin a long-running command that is done when its procedure has come as far as it aims."""
        executor = self.require_executor()
        handle = self.commands.begin(
            name,
            command_id,
            on_abort=lambda: _stop(executor, procedure_id),
            pointer=f"See DescribeProcedure({procedure_id}).",
        )
        handle.started()
        # The script may have told its progress before there was a command to tell it to.
        if aim is Aim.COMPLETE and (progress := self._board.progress_of(procedure_id)) is not None:
            handle.progress(progress)
        self._procedure_commands.follow(procedure_id, aim, handle, executor.service.view)
        return accepted(handle, ResultCode.STARTED)


def _stop(executor: Executor, procedure_id: int) -> None:
    with suppress(StateForbids, ProcedureNotFound):  # it may have ended by itself, and its command with it
        executor.service.request_stop(StopProcessCommand(procedure_id, run_abort=False))


def _report_stop(handle: CommandHandle, outcome: "Future[StopOutcome]") -> None:
    if (error := outcome.exception()) is not None:
        handle.failed(str(error))
    else:
        handle.completed(outcome.result().message)
