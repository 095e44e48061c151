"""The commands Create, Rerun, Start and Stop."""

import time
from concurrent.futures import Future
from contextlib import suppress

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.enums import ResultCode
from oet_devices.ska.replies import Reply, accepted
from ska_oso_oet.model import ProcedureInput, Requester
from ska_oso_oet.procedure.application import (
    Origin,
    PrepareProcessCommand,
    StartProcessCommand,
    StopOutcome,
    StopProcessCommand,
)
from ska_oso_oet.procedure.application.history import rerun
from ska_oso_oet.procedure.domain import ProcedureNotFoundError, StateForbidsError
from ska_oso_oet.procedure.ui import to_prepare_command

from .arguments import parse_create, parse_rerun, parse_start, parse_stop
from .command_followers import CommandFollowers, EndRule, Missed, create_ends, start_ends
from .command_taker import SOURCE, CommandTaker, follow
from .executor import Executor
from .procedures import Procedures


class ProcedureCommands:
    """The commands that create, start and stop procedures.

    :param taker: takes them
    :param procedures: finds the procedure of a request
    :param followers: the commands that follow procedures
    """

    def __init__(
        self,
        taker: CommandTaker,
        procedures: Procedures,
        followers: CommandFollowers,
    ) -> None:
        self._taker = taker
        self._commands = taker.commands
        self._procedures = procedures
        self._followers = followers

    def create(self, argin: str) -> Reply:
        """Carry out Create."""

        def create(executor: Executor) -> Reply:
            request = parse_create(argin)
            return self._prepare(executor, "Create", to_prepare_command(request), request.requested_by)

        return self._taker.take("Create", create)

    def rerun(self, argin: str) -> Reply:
        """Carry out Rerun."""

        def prepare_again(executor: Executor) -> Reply:
            request = parse_rerun(argin)
            former = executor.service.summary(self._procedures.id_of(request.pid))
            again = rerun(former, request.script_args)
            return self._prepare(executor, "Rerun", again, request.requested_by)

        return self._taker.take("Rerun", prepare_again)

    def _prepare(
        self, executor: Executor, name: str, request: PrepareProcessCommand, requested_by: Requester | None
    ) -> Reply:
        """Create a procedure, and begin a long-running command that follows it until it is READY."""
        self._commands.tracker.require_room(name)
        with self._followers.expecting() as missed:
            summary = executor.service.prepare(request, self._taker.origin(name, requested_by))
            return self._follow(executor, name, str(summary.command_id), summary.id, create_ends, missed)

    def start(self, argin: str) -> Reply:
        """Carry out Start."""

        def start(executor: Executor) -> Reply:
            request = parse_start(argin)
            procedure_id = request.pid or self._procedures.last_of(self._taker.client())
            command_id = self._commands.ids.new("Start", procedure_id)
            arguments = request.script_args.get("main", ProcedureInput())
            if "init" in request.script_args:
                raise ValueError("arguments of init are given to Create: its call of init is over")
            self._commands.tracker.require_room("Start")
            command = StartProcessCommand(procedure_id, "main", arguments)
            with self._followers.expecting() as missed:
                by = self._taker.requester(request.requested_by)
                executor.service.start(command, Origin(SOURCE, time.time(), requested_by=by))
                return self._follow(executor, "Start", command_id, procedure_id, start_ends, missed)

        return self._taker.take("Start", start)

    def stop(self, argin: str) -> Reply:
        """Carry out Stop."""

        def stop(executor: Executor) -> Reply:
            request = parse_stop(argin)
            procedure_id = request.pid or executor.service.manager.running
            if procedure_id is None:
                raise StateForbidsError("no script is running: name the procedure to stop, e.g. 2")
            self._taker.log.about(procedure=procedure_id)
            self._commands.tracker.require_room("Stop")
            command_id = self._commands.ids.new("Stop", procedure_id)
            by = self._taker.requester(request.requested_by)
            stopping = executor.service.request_stop(
                StopProcessCommand(procedure_id, request.abort, at_checkpoint=request.at == "checkpoint"),
                Origin(SOURCE, time.time(), requested_by=by),
            )
            # The script is being stopped already, even if the journal is slow.
            executor.bus.committed().result()
            handle = self._commands.tracker.begin(
                "Stop", command_id, on_abort=lambda: self._stop(executor, stopping.abort_id)
            )
            handle.started()
            stopping.add_done_callback(lambda done: _report_stop(handle, done))
            return accepted(handle, ResultCode.STARTED)

        return self._taker.take("Stop", stop)

    def _follow(
        self,
        executor: Executor,
        name: str,
        command_id: str,
        procedure_id: int,
        ends: EndRule,
        missed: Missed,
    ) -> Reply:
        """Begin a long-running command that follows a procedure."""
        self._taker.log.about(procedure=procedure_id)
        handle = self._commands.tracker.begin(
            name,
            command_id,
            on_abort=lambda: self._stop(executor, procedure_id),
            pointer=f"See DescribeProcedure({procedure_id}).",
        )
        return follow(handle, self._followers, procedure_id, ends, missed)

    def _stop(self, executor: Executor, procedure_id: int | None) -> None:
        """Stop a procedure because its command is to be aborted."""
        if procedure_id is None:
            return
        origin = Origin(SOURCE, time.time(), requested_by=self._taker.client())
        # It may have ended by itself, and its command with it.
        with suppress(StateForbidsError, ProcedureNotFoundError):
            executor.service.request_stop(StopProcessCommand(procedure_id, run_abort=False), origin)


def _report_stop(handle: CommandHandle, outcome: "Future[StopOutcome]") -> None:
    if (error := outcome.exception()) is not None:
        handle.failed(str(error))
    elif outcome.result().abort_failure is None:
        handle.completed(outcome.result().message)
    elif handle.abort_requested:
        handle.aborted()
    else:
        handle.failed(outcome.result().message)
