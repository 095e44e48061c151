"""Keeper of a controller's executor: creates it, replaces it for new properties, reports its health."""

import logging
from collections.abc import Callable
from typing import Protocol, TypeVar

import tango

from oet_devices.ska.enums import CommunicationStatus, HealthState
from oet_devices.ska.event_device import EventDevice
from oet_devices.ska.operation import Operation
from oet_devices.ska.operation_commands import require_allowed
from oet_devices.ska.texts import tango_text
from ska_oso_oet import secrets
from ska_oso_oet.journal import Batch

from . import rivals
from .arguments import REFUSALS, refuse
from .executor import Executor, Listeners
from .notifications import Notifications
from .properties import executor_config
from .reasons import NOT_AVAILABLE
from .site_secrets import secret_variables

T = TypeVar("T")

LOGGER = logging.getLogger(__name__)

_CHANGED_WHILE_BUSY = (
    "The properties have changed while procedures or activities are live: they are taken into account by "
    "Reset once those have ended or are stopped."
)


class ExecutorListener(Protocol):
    """Callback interface for changes of an executor."""

    def on_executor(self, executor: Executor) -> None:
        """A new executor exists."""

    def on_recall(self, executor: Executor) -> None:
        """Procedures of previous servers are known only now. Runs in a thread of the journal."""

    def on_batch(self, batch: Batch) -> None:
        """A batch was committed. Runs in the thread of the bus."""

    def on_output(self, procedure_id: int) -> None:
        """A script has written output."""

    def on_scripts(self) -> None:
        """The scripts that can be run have changed. Runs in the thread that watches them."""


class ExecutorKeeper:
    """The executor of a controller, as long as the controller's properties allow one.

    The executor outlives Init, as long as the properties stay the same, and so do the commands that follow
    its procedures: Init by mistake does not end an observation.

    :param operation: receives the executor's health
    :param announce_status: called when the text of Status may have changed
    :param notifications: notifies people of its health
    :ivar executor: None if there is none
    """

    def __init__(
        self, operation: Operation, announce_status: Callable[[], None], notifications: Notifications
    ) -> None:
        self._notifications = notifications
        self.executor: Executor | None = None
        self._operation = operation
        self._announce_status = announce_status
        self._fault: str | None = None
        self._outdated: str | None = None
        self._rival: str | None = None

    def provide(self, device: EventDevice, listener: ExecutorListener) -> None:
        """Create the executor that the properties describe, or note the reason why not.

        :param device: the controller, which has the properties
        :param listener: called when the executor is created, and by its changes
        """
        self._fault = self._outdated = self._rival = None
        if device.property_fault is not None:
            return
        try:
            secrets.withhold(secret_variables(device))
            self._notifications.configure(device.get_name(), device.Notify)
            config = executor_config(device)
            self._rival = rivals.describe_rivals(device, config.settings.subarray_id)
            if self.executor is not None and self.executor.config != config:
                if self.executor.busy:
                    self._outdated = _CHANGED_WHILE_BUSY
                    return
                self.close()
            if self.executor is None:
                self.executor = Executor(config, self._listeners(listener))
                self.executor.bus.subscribe(listener.on_batch)
                listener.on_executor(self.executor)
        except (ValueError, OSError, RuntimeError) as error:
            LOGGER.error("%s cannot execute scripts: %s", device.get_name(), error)
            self._fault = f"Scripts cannot be executed: {error}. Fix that, then send Reset."

    @property
    def subarray_id(self) -> int:
        """The only subarray that scripts may use, 0 for any."""
        return 0 if self.executor is None else self.executor.service.subarray_id or 0

    def reset(self, device: EventDevice, listener: ExecutorListener) -> str | None:
        """Apply new values of properties, as `provide` does, and acknowledge old damage.

        :returns: why the executor differs from the properties, None if it does not
        """
        self.provide(device, listener)
        if self.executor is not None:
            self.executor.acknowledge()
        reason = self._fault or self._outdated
        if reason is not None:
            self.report_health()
        return reason

    def close(self, why: str | None = None) -> None:
        """Stop all scripts and end the executor, if there is one.

        :param why: the reason, as a clause
        """
        executor, self.executor = self.executor, None
        if executor is not None:
            executor.close(why)

    def require(self) -> Executor:
        """Return the executor.

        :raises tango.DevFailed: if there is none
        """
        if self.executor is not None:
            return self.executor
        reason = self._fault or self._operation.fault or "There is no executor."
        tango.Except.throw_exception(NOT_AVAILABLE, tango_text(reason), "OETController")
        raise AssertionError("throw_exception raises")

    def require_in_use(self, name: str) -> None:
        """Check that scripts can be created and started.

        :param name: name of the command
        :raises tango.DevFailed: if the state of the controller forbids it
        """
        require_allowed(name, self._operation.state, [tango.DevState.ON])

    def for_reading(self) -> Executor | None:
        """Return the executor, None if there is none yet.

        :raises tango.DevFailed: if there is none because of a fault: its data are not empty, but unavailable
        """
        is_faulty = (self._fault or self._operation.fault) is not None
        return self.require() if is_faulty else self.executor

    def answer(self, name: str, query: Callable[[Executor], T]) -> T:
        """Return the answer to a query, or raise its failure for the client.

        :param name: name of the command
        :param query: finds the answer
        :raises tango.DevFailed: if the query is not valid, or there is no executor
        """
        executor = self.require()
        try:
            return query(executor)
        except REFUSALS as error:
            refuse(error, name)

    def report_health(self) -> None:
        """Report faults of the executor. Called from several threads."""
        self._report_health()
        self._notifications.on_health(self._operation.health)

    def _report_health(self) -> None:
        executor = self.executor
        if self._fault is not None:
            # There may be an executor from when the properties were right: its scripts continue.
            self._report(CommunicationStatus.NOT_ESTABLISHED, self._fault)
            self._operation.report_health(HealthState.FAILED)
            return
        if executor is None:
            return
        manager = executor.service.manager
        fault, mute = manager.fault, manager.unresponsive
        self._report(CommunicationStatus.ESTABLISHED, fault)
        if fault is not None:
            self._operation.report_health(HealthState.FAILED)
        elif mute:
            numbers = ", ".join(f"#{procedure_id}" for procedure_id in mute)
            reason = f"The process of procedure {numbers} does not answer."
            self._operation.report_health(HealthState.DEGRADED, reason)
        elif manager.output_fault is not None:
            reasons = filter(None, (manager.output_fault, executor.warning))
            self._operation.report_health(HealthState.DEGRADED, " ".join(reasons))
        elif (warning := self._warning(executor)) is not None:
            self._operation.report_health(HealthState.DEGRADED, warning)
        else:
            self._operation.report_health(HealthState.OK)
        self._announce_status()

    def _warning(self, executor: Executor) -> str | None:
        """Return the faults for an operator, None if there are none."""
        return self._outdated or self._rival or executor.warning or self._notifications.fault

    def _report(self, status: CommunicationStatus, fault: str | None) -> None:
        if self._operation.admin_mode.is_in_use:
            self._operation.report_communication(status, fault)

    def _listeners(self, listener: ExecutorListener) -> Listeners:
        def recall() -> None:
            # A new executor reports everything when it is complete.
            if self.executor is not None:
                listener.on_recall(self.executor)

        def may_begin() -> bool:
            return bool(self._operation.state == tango.DevState.ON)

        return Listeners(listener.on_output, self.report_health, recall, listener.on_scripts, may_begin)
