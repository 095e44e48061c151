"""The Tango device class OETController."""

from functools import partial

import tango
from tango.server import attribute, command

from oet_devices.ska import event_socket
from oet_devices.ska.clients import client_of
from oet_devices.ska.device import SkaBaseDevice
from oet_devices.ska.information import Release
from oet_devices.ska.replies import Reply
from oet_devices.ska.request_log import request
from oet_devices.ska.texts import tango_text
from ska_oso_oet import __version__
from ska_oso_oet.journal import prepare_to_open
from ska_oso_oet.procedure.application.script_list import MAX_SCRIPTS
from ska_oso_oet.procedure.execution.output import TAIL_LINES

from . import declared_operator, declared_properties, declared_queries, declared_queue, declared_records
from .activities import Activities
from .command_followers import CommandFollowers
from .command_taker import ACCEPTED, CommandTaker
from .event_log import EventLog
from .events import Events
from .executor_keeper import ExecutorKeeper, ExecutorListener
from .figures import Figures
from .long_queries import LongQueries
from .notifications import Notifications
from .observing_queue import ObservingQueue
from .operator_commands import OperatorCommands, ScriptContext
from .procedure_commands import ProcedureCommands
from .procedures import Procedures, ProcedureStateLabel, Scripts
from .publishing import Publishing, Shown
from .records import Records
from .status_line import StatusLine
from .tracing import Tracing

_LAST = "0 for the last one created"


class OETController(SkaBaseDevice):
    """Runs observing scripts, one after the other, each in a process of its own.

    Create prepares a script, Start runs its main function, Stop ends it; RunActivity runs an activity of a
    Scheduling Block. The attributes procedures, activities, events and scriptOutput show their progress.
    """

    COMMANDS_OUTLIVE_INIT = True

    RELEASE = Release("ska-oso-oet-tango", __version__, "Observation Execution Tool")

    AllowedAccessCmd = declared_properties.AllowedAccessCmd
    ScriptRoots = declared_properties.ScriptRoots
    GitRepositories = declared_properties.GitRepositories
    StateDirectory = declared_properties.StateDirectory
    HistoryLength = declared_properties.HistoryLength
    StandbyWorkers = declared_properties.StandbyWorkers
    StopGracePeriod = declared_properties.StopGracePeriod
    InitTimeout = declared_properties.InitTimeout
    ScriptSizeLimit = declared_properties.ScriptSizeLimit
    AllowEmbeddedScripts = declared_properties.AllowEmbeddedScripts
    ReadyLimit = declared_properties.ReadyLimit
    ReadyTimeout = declared_properties.ReadyTimeout
    SecretVariables = declared_properties.SecretVariables
    FilesLimit = declared_properties.FilesLimit
    EnvironmentLimit = declared_properties.EnvironmentLimit
    EnvironmentTimeout = declared_properties.EnvironmentTimeout
    AbortScript = declared_properties.AbortScript
    SubarrayId = declared_properties.SubarrayId
    OdaTimeout = declared_properties.OdaTimeout
    EventRetention = declared_properties.EventRetention
    Notify = declared_properties.Notify
    QueueAutostart = declared_properties.QueueAutostart
    QueueStopOnFailure = declared_properties.QueueStopOnFailure

    queue = declared_queue.queue
    queueState = declared_queue.queueState
    queueLength = declared_queue.queueLength
    GetQueue = declared_queue.GetQueue
    DescribeQueueEntry = declared_queue.DescribeQueueEntry
    QueueAdd = declared_queue.QueueAdd
    QueueMove = declared_queue.QueueMove
    QueueUpdate = declared_queue.QueueUpdate
    QueueRemove = declared_queue.QueueRemove
    QueueClear = declared_queue.QueueClear
    QueueStart = declared_queue.QueueStart
    QueueStop = declared_queue.QueueStop

    ExamineScript = declared_queries.ExamineScript
    FindSchedulingBlocks = declared_queries.FindSchedulingBlocks

    GetProcedures = declared_records.GetProcedures
    GetOutput = declared_records.GetOutput
    GetFiles = declared_records.GetFiles
    GetFile = declared_records.GetFile
    GetEnvironment = declared_records.GetEnvironment
    GetFigures = declared_records.GetFigures

    progress = declared_operator.progress
    question = declared_operator.question
    scriptContext = declared_operator.scriptContext
    Pause = declared_operator.Pause
    Resume = declared_operator.Resume
    Step = declared_operator.Step
    Answer = declared_operator.Answer
    SendToScript = declared_operator.SendToScript
    NameRequester = declared_operator.NameRequester

    def compose(self) -> None:
        """Create the objects that outlive Init: an observation needs them."""
        super().compose()
        procedure_followers, activity_followers = CommandFollowers(), CommandFollowers()
        self.notifications = Notifications(self.status_text, lambda: self.keeper.report_health())
        self.keeper = ExecutorKeeper(self.operation, self.announce_status, self.notifications)
        taker = CommandTaker(
            self.keeper, self.operation, self.commands, partial(client_of, self), self.requests
        )
        status_line = StatusLine()
        self.queue_commands = ObservingQueue(self.keeper, taker.requester)
        self.operator_commands = OperatorCommands(self.keeper, taker)
        self.script_context = ScriptContext(self.keeper, self.publisher)
        procedures = Procedures(self.keeper, status_line)
        self.shown = Shown(
            status_line,
            Events(self.keeper),
            Scripts(self.keeper),
            procedures,
            Records(self.keeper, procedures),
            Activities(self.keeper, taker, activity_followers),
            self.queue_commands,
            self.operator_commands,
            self.script_context,
        )
        self.long_queries = LongQueries(taker)
        self.procedure_commands = ProcedureCommands(taker, procedures, procedure_followers)
        self.figures = Figures(self.get_name, self.keeper)
        self.requests.on_request = self.figures.on_request
        tracing = Tracing(self.get_name)
        self.requests.on_answer = tracing.on_answer
        self.listener: ExecutorListener = Publishing(
            self.publisher,
            self.announce_status,
            self.keeper,
            self.shown,
            procedure_followers,
            activity_followers,
            self.notifications,
            EventLog(self.get_name),
            self.figures,
            tracing,
        )

    def init_device(self) -> None:
        """Read the properties, and create the executor if there is none yet."""
        super().init_device()
        self.keeper.provide(self, self.listener)
        if self.keeper.executor is None:
            # Reset may have to create one: a command has no time for imports.
            prepare_to_open()

    def delete_device(self) -> None:
        """Stop all scripts, if the device is to be destroyed; after Init they continue."""
        if self.is_going:
            self.keeper.close(self.departure)
            self.notifications.close()
        super().delete_device()

    def always_executed_hook(self) -> None:
        """Before any request, wait until all parts of the controller have the same state."""
        if (executor := self.keeper.executor) is not None:
            executor.bus.wait_while_telling()

    def start_communicating(self) -> None:
        """Report whether scripts can be executed."""
        self.keeper.report_health()

    def stop_communicating(self) -> None:
        """Stop the queue: it begins no further entry until it is started."""
        super().stop_communicating()
        self.queue_commands.suspend(f"adminMode was set to {self.operation.admin_mode.name}")

    def state_changed(self) -> None:
        """Wake the queue, to check whether it may begin an entry."""
        if (executor := self.keeper.executor) is not None:
            executor.queue.wake()

    def apply_properties(self) -> str | None:
        """Apply new values of properties. Returns why that is not possible, else None."""
        return self.keeper.reset(self, self.listener)

    def describe(self) -> str:
        """Return one line about the present activity, and one about what to do if nothing can be started."""
        if (executor := self.keeper.executor) is None:
            return super().describe()
        service = executor.service
        line = self.shown.status_line.status(
            service.manager.standby_workers, self.operation.state, service.operator.question
        )
        subarray = service.subarray_id
        return line if subarray is None else f"Subarray {subarray}. {line}"

    # Attributes

    @attribute(dtype="DevString", label="Procedures")
    def procedures(self) -> str:
        """JSON list of summaries: all procedures that are live, and the newest that have ended.

        Changes that follow each other quickly may share an event.
        """
        return self.shown.procedures.summaries()

    @attribute(dtype="DevString", label="Events")
    def events(self) -> str:
        """The newest event, as JSON. There is one change event for each event of the bus, in order."""
        return self.shown.events.newest_text

    @attribute(dtype="DevLong64", label="Last event", display_level=tango.DispLevel.EXPERT)
    def lastEventId(self) -> int:
        """Number (seq) of the newest event, 0 before the first.

        Read it before you subscribe to events: it cannot be read until the server has started completely.
        """
        event_socket.require_finished_start()
        return self.shown.events.newest.seq

    @attribute(dtype="DevLong", label="Running procedure")
    def runningProcedure(self) -> int:
        """ID of the procedure that runs main, 0 if there is none. Every change has its event."""
        return self.shown.status_line.running

    @attribute(dtype="DevLong", label="Last procedure")
    def lastProcedure(self) -> int:
        """ID of the procedure that was created last, 0 if there is none."""
        return self.shown.status_line.last

    @attribute(dtype=ProcedureStateLabel, label="Procedure state")
    def procedureState(self) -> ProcedureStateLabel:
        """State of the procedure that runs, else of the one that changed last; UNKNOWN before the first.

        Every change has its event, in order.
        """
        return self.shown.procedures.state()

    @attribute(dtype=("DevString",), max_dim_x=TAIL_LINES, label="Script output")
    def scriptOutput(self) -> list[str]:
        """Last lines of the output of the procedure that procedureState is about. See GetOutput.

        Changes that follow each other quickly may share an event.
        """
        return self.shown.procedures.output_tail()

    @attribute(dtype="DevString", label="Last output line")
    def lastOutputLine(self) -> str:
        """Newest line of scriptOutput, empty if there is none.

        Changes that follow each other quickly may share an event.
        """
        return self.shown.procedures.last_output_line()

    @attribute(dtype="DevString", label="Procedure")
    def procedureSummary(self) -> str:
        """Number, script and state of the procedure that procedureState is about, e.g. #7 observe.py RUNNING.

        Every change has its event, in order.
        """
        return tango_text(self.shown.status_line.summary())

    @attribute(dtype=("DevString",), max_dim_x=MAX_SCRIPTS, label="Scripts")
    def scripts(self) -> tuple[str, ...]:
        """URIs of the scripts that can be run from the script roots: files with a main or an init.

        It is pushed when one of the folders changes.
        """
        return self.shown.scripts.uris()

    @attribute(dtype="DevLong", label="Subarray")
    def subarrayId(self) -> int:
        """The only subarray that scripts may use, 0 for any. See the property SubarrayId."""
        return self.keeper.subarray_id

    @attribute(dtype="DevString", label="Activities")
    def activities(self) -> str:
        """JSON list of summaries: all activities that are live, and the newest that have ended.

        Changes that follow each other quickly may share an event.
        """
        return self.shown.activities.summaries()

    # Queries

    @command(
        dtype_in="DevLong",
        doc_in=f"ID of a procedure, {_LAST}",
        dtype_out="DevString",
        doc_out="Its summary as JSON: script, arguments, states with their times, stack trace",
    )
    def DescribeProcedure(self, argin: int) -> str:
        """Describe a procedure, also one that is no longer listed."""
        return self.shown.procedures.describe(argin)

    @command(
        dtype_in="DevString",
        doc_in="URI of a script, e.g. file:///scripts/observe.py",
        dtype_out="DevString",
        doc_out='JSON: {"uri", "doc", "functions": {"init": {"doc", "parameters"}, "main": {…}}}, where '
        "parameters are a JSON Schema with defaults, units and choices",
    )
    def DescribeScript(self, argin: str) -> str:
        """Return the description of a script: its docstrings and parameters. The script is not run.

        For a script of more than 64 KiB, or in git, use ExamineScript.
        """
        return self.shown.scripts.describe(argin)

    @command(
        dtype_in="DevString",
        doc_in='JSON: {"after": seq, "limit": n, "topic": "prefix"}, each of them optional',
        dtype_out="DevString",
        doc_out="JSON list of events with a greater number, oldest first; "
        "fewer if they are long: read on until there are none",
        display_level=tango.DispLevel.EXPERT,
    )
    def GetEvents(self, argin: str) -> str:
        """Return past events, e.g. those whose change events were missed."""
        return self.shown.events.read(argin)

    @command(
        dtype_in="DevLong",
        doc_in="ID of an activity, 0 for the last one requested",
        dtype_out="DevString",
        doc_out="Its summary as JSON: Scheduling Block, procedure, arguments, states and times, reason",
    )
    def DescribeActivity(self, argin: int) -> str:
        """Describe an activity, also one that is no longer listed."""
        return self.shown.activities.describe(argin)

    # Long-running commands

    @request(
        dtype_in="DevString",
        doc_in='JSON: {"activity_name": "observe", "sbd_id": "sbd-123"}, or instead of sbd_id '
        '"sbd_uri": "file:///sb.json" or "oda://sbd-123/1"; and optionally '
        '"script_args": {"init": {"kwargs": {"subarray_id": 1}}}, which override those of the Scheduling '
        'Block one by one, "prepare_only": true, "create_env": true',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def RunActivity(self, argin: str) -> Reply:
        """Run an activity of a Scheduling Block. Ends with its script, with prepare_only at READY."""
        return self.shown.activities.run(argin)

    @request(
        dtype_in="DevString",
        doc_in="URI of a script, e.g. file:///scripts/observe.py, or JSON: "
        '{"script": {"script_type": "filesystem", "script_uri": "file:///scripts/observe.py"}, '
        '"script_args": {"init": {"args": [], "kwargs": {"subarray_id": 1}}}}',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Create(self, argin: str) -> Reply:
        """Prepare a script: load it in a process of its own and call its init. Ends when it is READY."""
        return self.procedure_commands.create(argin)

    @request(
        dtype_in="DevString",
        doc_in="Nothing for the procedure that was created last, its ID, e.g. 2, or JSON: "
        '{"pid": 2, "script_args": {"main": {"kwargs": {"scans": 5}}}} with arguments to replace',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Rerun(self, argin: str) -> Reply:
        """Prepare the script of a procedure again, with the same arguments. Ends when it is READY."""
        return self.procedure_commands.rerun(argin)

    @request(
        dtype_in="DevString",
        doc_in="Nothing for the procedure that this client has created last, its ID, e.g. 2, or JSON: "
        '{"pid": 2, "script_args": {"main": {"args": [], "kwargs": {"scans": 3}}}}',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Start(self, argin: str) -> Reply:
        """Run main of a procedure that is READY. Ends when the script has ended."""
        return self.procedure_commands.start(argin)

    @request(
        dtype_in="DevString",
        doc_in='Nothing for the procedure that runs, its ID, e.g. 2, or JSON: {"pid": 2, "abort": true}, or '
        '{"pid": 2, "at": "checkpoint"} to let it continue to its next checkpoint',
        dtype_out="DevVarLongStringArray",
        doc_out=ACCEPTED,
    )
    def Stop(self, argin: str) -> Reply:
        """Stop a procedure, by SIGKILL if necessary. Ends when it and the abort script have ended."""
        return self.procedure_commands.stop(argin)
