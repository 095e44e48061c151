"""A simulated telescope: subarrays with the state machine of the SKA, and the central node."""

import itertools
import json
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import tango

from ska_oso_oet.tango import ObsState, central_node_fqdn, subarray_fqdn_prefix
from ska_oso_oet.tango._obs_states import TRANSITIONS, require_allowed

_STARTED, _REJECTED = 1, 5
_OBS_STATE = "obsState"


class _Reading(NamedTuple):
    value: Any
    type: Any = tango.CmdArgType.DevEnum


class _Config(NamedTuple):
    name: str
    enum_labels: list[str]


class SimulatedEvent(NamedTuple):
    """A change event, with the fields of ``tango.EventData`` that scripts use."""

    attr_name: str
    attr_value: Any
    err: bool = False
    errors: tuple[Any, ...] = ()


class _Device:
    """A device, with the methods of ``tango.DeviceProxy`` that scripts use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.commands: list[tuple[str, Any]] = []

    @property
    def command_names(self) -> list[str]:
        """Names of the commands that it has received, in order."""
        return [name for name, _ in self.commands]

    def command_inout(self, name: str, argument: Any = None, **options: Any) -> Any:
        """Receive a command.

        :raises tango.DevFailed: if it is not allowed
        """
        known = {each.lower(): each for each in TRANSITIONS}
        canonical = known.get(name.lower())
        if canonical is None:
            _refuse("API_CommandNotFound", f"the simulated {self.name} has no command {name}")
        self.commands.append((str(canonical), argument))
        return self.carry_out(str(canonical), argument)

    def carry_out(self, name: str, argument: Any) -> Any:
        """Carry out a command."""
        raise NotImplementedError


class SubarrayDevice(_Device):
    """A simulated subarray.

    :param name: its FQDN
    :param later: calls a function after a time in seconds, in the thread of the telescope's events
    :ivar duration: seconds that each command takes
    :ivar commands: name and argument of each command that it has received
    """

    def __init__(self, name: str, later: Callable[[float, Callable[[], None]], None]) -> None:
        super().__init__(name)
        self.duration = 0.0
        self._later = later
        self._state = ObsState.EMPTY
        self._lock = threading.RLock()
        self._callbacks: dict[int, Callable[[Any], None]] = {}
        self._rejections: dict[str, str] = {}
        self._faults: set[str] = set()
        self._order = 0

    @property
    def obs_state(self) -> ObsState:
        """Its observing state."""
        return self._state

    def reject(self, command: str, reason: str) -> None:
        """Reject a command from now on, with a reason."""
        self._rejections[command] = reason

    def fault_on(self, command: str) -> None:
        """Go to FAULT from now on, when a command is carried out."""
        self._faults.add(command)

    def carry_out(self, name: str, argument: Any) -> Any:
        """Go through the states that a command leads to.

        :raises tango.DevFailed: if it is not allowed in the present state
        """
        transition = TRANSITIONS[name]
        with self._lock:
            if name in self._rejections:
                return [_REJECTED], [self._rejections[name]]
            require_allowed(self.name, self._state, name)
            # A command in progress ends here: Abort interrupts a scan.
            self._order += 1
            order, end = self._order, ObsState.FAULT if name in self._faults else transition.to
            if transition.through is not None:
                self._enter(transition.through)
                self._later(self.duration, lambda: self._finish(order, end))
            else:
                self._enter(end)
        return [_STARTED], [f"{order}_{name}"]

    def _finish(self, order: int, end: ObsState) -> None:
        with self._lock:
            if order == self._order:
                self._enter(end)

    def _enter(self, state: ObsState) -> None:
        self._state = state
        event = SimulatedEvent(f"{self.name}/{_OBS_STATE}", _Reading(int(state)))
        for callback in self._callbacks.values():
            self._later(0.0, lambda callback=callback: callback(event))  # type: ignore[misc]

    def read_attribute(self, name: str) -> _Reading:
        """Read ``obsState``."""
        self._check(name)
        return _Reading(int(self._state))

    def get_attribute_config(self, name: str) -> _Config:
        """Return the labels of ``obsState``."""
        self._check(name)
        return _Config(_OBS_STATE, [state.name for state in ObsState])

    def subscribe_event(self, name: str, event_type: Any, callback: Callable[[Any], None], *more: Any) -> int:
        """Subscribe to change events of ``obsState``. Its present value comes at once, as with Tango."""
        self._check(name)
        event_id = next(_EVENT_IDS)
        with self._lock:
            self._callbacks[event_id] = callback
            event = SimulatedEvent(f"{self.name}/{_OBS_STATE}", _Reading(int(self._state)))
        callback(event)
        return event_id

    def unsubscribe_event(self, event_id: int) -> None:
        """End a subscription."""
        with self._lock:
            self._callbacks.pop(event_id, None)

    def _check(self, name: str) -> None:
        if name.lower() != _OBS_STATE.lower():
            _refuse("API_AttrNotFound", f"the simulated {self.name} has obsState, not {name}")


class CentralNodeDevice(_Device):
    """A simulated central node: passes commands on to the subarray that their argument names."""

    def __init__(self, name: str, subarray: Callable[[int], SubarrayDevice]) -> None:
        super().__init__(name)
        self._subarray = subarray

    def carry_out(self, name: str, argument: Any) -> Any:
        """Carry out a command on a subarray."""
        return self._subarray(json.loads(argument)["subarray_id"]).command_inout(name, argument)


class SimulatedTelescope:
    """Devices by their names, and the thread in which their events come.

    :ivar devices: further devices of a test, by FQDN: objects with the methods of ``tango.DeviceProxy``
    """

    def __init__(self) -> None:
        self.devices: dict[str, Any] = {}
        self._subarrays: dict[int, SubarrayDevice] = {}
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._timers: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._run, name="oet-simulated-telescope", daemon=True)
        self._thread.start()

    def device(self, name: str) -> Any:
        """Return the device that has a name.

        :raises tango.DevFailed: if there is none
        """
        if name in self.devices:
            return self.devices[name]
        if name.lower() == central_node_fqdn().lower():
            return self.devices.setdefault(name, CentralNodeDevice(name, self.subarray))
        prefix, _, number = name.rpartition("/")
        if prefix.lower() == subarray_fqdn_prefix().lower() and number.isdecimal():
            return self.subarray(int(number))
        _refuse(
            "DB_DeviceNotDefined", f"there is no simulated device {name}: add it to oet.telescope.devices"
        )
        return None

    def subarray(self, number: int) -> SubarrayDevice:
        """Return the subarray that has a number."""
        with self._lock:
            if number not in self._subarrays:
                name = f"{subarray_fqdn_prefix()}/{number}"
                self._subarrays[number] = SubarrayDevice(name, self._later)
            return self._subarrays[number]

    def close(self) -> None:
        """End the thread; no more events come."""
        for timer in self._timers:
            timer.cancel()
        self._calls.put(None)
        self._thread.join()

    def _later(self, delay: float, function: Callable[[], None]) -> None:
        if not delay:
            self._calls.put(function)
            return
        timer = threading.Timer(delay, self._calls.put, (function,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _run(self) -> None:
        while (function := self._calls.get()) is not None:
            function()


def _refuse(reason: str, description: str) -> None:
    tango.Except.throw_exception(reason, description, "SimulatedTelescope")


# Greater than those of Tango's own subscriptions in the same process.
_EVENT_IDS = itertools.count(1 << 40)
