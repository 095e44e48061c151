"""The part of the controller that has properties, an executor, and an opinion of its health."""

import logging

from tango.server import device_property

from oet_devices.ska.command_handle import CommandHandle
from oet_devices.ska.device import SkaBaseDevice
from oet_devices.ska.enums import CommunicationStatus, HealthState
from oet_devices.ska.information_device import Release
from ska_oso_oet import __version__
from ska_oso_oet.activity.application import DEFAULT_TIME_LIMIT
from ska_oso_oet.event.bus import Batch

from .executor import Executor, Listeners
from .properties import executor_config

LOGGER = logging.getLogger(__name__)

_CHANGED_WHILE_BUSY = (
    "The properties have changed while procedures or activities are live: they are taken into account by "
    "Reset once those have ended or are stopped."
)


class ExecutorDevice(SkaBaseDevice):
    """A device that has an executor as long as its properties allow one.

    The executor outlives Init, as long as the properties stay the same, and so do the commands that follow
    its procedures: nobody loses an observation to a click on the wrong button.
    """

    COMMANDS_OUTLIVE_INIT = True

    RELEASE = Release("ska-oso-oet-tango", __version__, "Observation Execution Tool")

    ScriptRoots = device_property(
        dtype="DevVarStringArray",
        default_value=[],
        doc="Folders, as absolute paths, below which scripts may be run. Without any, the scripts that ship.",
    )
    GitRepositories = device_property(
        dtype="DevVarStringArray",
        default_value=[],
        doc="Git repositories that scripts may be run from: patterns of their URLs, such as "
        "https://host.org/group/*, where * and ? match within the scheme, the host, or the path; * alone "
        "matches all. Without any, scripts from git are refused.",
    )
    StateDirectory = device_property(
        dtype="DevString",
        default_value="",
        doc="Folder, as an absolute path, for the journal, for the output of scripts and for what scripts "
        "from git need, used by this device alone. "
        "Without it, a folder named after the device in OET_STATE_DIRECTORY or ~/.local/state/ska-oso-oet.",
    )
    HistoryLength = device_property(
        dtype="DevLong",
        default_value=10,
        doc="How many procedures that have ended are listed, and how many activities.",
    )
    StandbyWorkers = device_property(
        dtype="DevLong",
        default_value=1,
        doc="How many processes are kept warm, so that Create takes milliseconds; 0 for none.",
    )
    StopGracePeriod = device_property(
        dtype="DevDouble",
        default_value=5.0,
        doc="Seconds between asking a script to end and killing its processes.",
    )
    InitTimeout = device_property(
        dtype="DevDouble",
        default_value=0.0,
        doc="Seconds that loading a script and its init() may take together; 0 for any time.",
    )
    EnvironmentLimit = device_property(
        dtype="DevLong",
        default_value=5,
        doc="How many environments of scripts from git are kept while no script uses them; "
        "those that were used last.",
    )
    EnvironmentTimeout = device_property(
        dtype="DevDouble",
        default_value=600.0,
        doc="Seconds that fetching a git repository, or building an environment, may take; 0 for any time.",
    )
    AbortScript = device_property(
        dtype="DevString",
        default_value="",
        doc="URI of the script that Stop with abort runs; without it, one that sends Abort to the subarray.",
    )
    OdaTimeout = device_property(
        dtype="DevDouble",
        default_value=DEFAULT_TIME_LIMIT,
        doc="Seconds that the ODA's REST service may take to give a Scheduling Block, all attempts together.",
    )
    EventRetention = device_property(
        dtype="DevLong", default_value=100_000, doc="How many events are kept for GetEvents."
    )

    def init_device(self) -> None:
        """Read the properties, and make the executor if there is none yet."""
        if "_executor" not in self.__dict__:
            self._executor: Executor | None = None
            self._executor_fault: str | None = None
            self._outdated: str | None = None
        super().init_device()
        self._provide_executor()

    def delete_device(self) -> None:
        """Stop all scripts, if the device is to be destroyed; after Init they go on."""
        if self.is_going:
            self._close_executor()
        super().delete_device()

    def always_executed_hook(self) -> None:
        """Before any request: let whoever looks here and then there find nothing there that is older."""
        if (executor := self.__dict__.get("_executor")) is not None:
            executor.bus.wait_while_telling()

    def start_communicating(self) -> None:
        """Report whether scripts can be executed."""
        self._report_health()

    def on_reset(self, handle: CommandHandle) -> None:
        """Take new values of properties into account."""
        self._provide_executor()
        if self._executor is not None:
            self._executor.acknowledge()
        if (reason := self._executor_fault or self._outdated) is None:
            super().on_reset(handle)
        else:
            self._report_health()
            handle.failed(reason)

    def on_batch(self, batch: Batch) -> None:
        """Take note of what has been committed; for subclasses. Runs in the thread of the bus."""

    def on_output(self, procedure_id: int) -> None:
        """Take note that a script has written output; for subclasses."""

    def on_executor(self, executor: Executor) -> None:
        """Take note of a new executor; for subclasses."""

    def on_recall(self) -> None:
        """Take note that procedures of former servers are known only now; for subclasses."""

    # The executor

    def _provide_executor(self) -> None:
        """Have an executor that is as the properties say, or a reason why not."""
        self._executor_fault = self._outdated = None
        if self.property_fault is not None:
            return
        try:
            config = executor_config(self)
            if self._executor is not None and self._executor.config != config:
                if self._executor.busy:
                    self._outdated = _CHANGED_WHILE_BUSY
                    return
                self._close_executor()
            if self._executor is None:
                listeners = Listeners(self.on_output, self._report_health, self.on_recall)
                self._executor = Executor(config, listeners)
                self._executor.bus.subscribe(self.on_batch)
                self.on_executor(self._executor)
        except (ValueError, OSError, RuntimeError) as error:
            LOGGER.error("%s cannot execute scripts: %s", self.get_name(), error)
            self._executor_fault = f"Scripts cannot be executed: {error}. Mend that, then send Reset."

    def _close_executor(self) -> None:
        if self._executor is not None:
            executor, self._executor = self._executor, None
            executor.close()

    # Health

    def _report_health(self) -> None:
        """Report what is wrong with the executor. Called from several threads."""
        executor = self._executor
        if self._executor_fault is not None:
            # There may be an executor, from when the properties were right: what it runs goes on.
            self._report(CommunicationStatus.NOT_ESTABLISHED, self._executor_fault)
            self.set_health(HealthState.FAILED)
            return
        if executor is None:
            return
        fault = executor.service.manager.fault
        self._report(CommunicationStatus.ESTABLISHED, fault)
        mute = executor.service.manager.unresponsive
        if fault is not None:
            self.set_health(HealthState.FAILED)
        elif mute:
            numbers = ", ".join(f"#{procedure_id}" for procedure_id in mute)
            self.set_health(HealthState.DEGRADED, f"The process of procedure {numbers} does not answer.")
        elif (warning := self._outdated or executor.warning) is not None:
            self.set_health(HealthState.DEGRADED, warning)
        else:
            self.set_health(HealthState.OK)
        self.announce_status()

    def _report(self, status: CommunicationStatus, fault: str | None) -> None:
        if self._operation.admin_mode.is_in_use:
            self.communication_state_changed(status, fault)
