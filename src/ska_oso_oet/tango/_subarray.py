"""Subarray of the telescope, for observing scripts."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import tango

from ._executor import TangoExecutor
from ._obs_states import DEAD_ENDS, TRANSITIONS, ObsState, require_allowed
from ._proxies import DEFAULT_PROXY_FACTORY, ProxyFactory
from ._targets import Attribute, Command
from ._telescope import central_node_fqdn, subarray_fqdn_prefix

_LOOK_AGAIN = 2.0
"""Seconds without an event after which the state is read: the event may have been lost."""

_DEFAULT_TIMEOUT = 60.0

_REFUSALS = {3: "failed", 5: "was rejected", 6: "is not allowed now", 7: "was aborted"}
"""Result codes of the SKA control model that mean that a command is not carried out."""


class Subarray:
    """Sends commands to a subarray, and waits until it has reached the state they lead to.

    Every command raises ``tango.DevFailed`` if the device cannot be reached or the command fails,
    ``RuntimeError`` if the device refuses it, or is ABORTED, in FAULT or EMPTY, so that the state can no
    longer be reached, and ``TimeoutError`` if it is not reached in time.

    :param subarray_id: number of the subarray, 1 or more
    :param proxy_factory: returns the Tango client of a device
    :raises ValueError: if it is not such a number
    :raises RuntimeError: if the Tango database does not know the subarray, or cannot be reached
    """

    def __init__(self, subarray_id: int, proxy_factory: ProxyFactory = DEFAULT_PROXY_FACTORY) -> None:
        if type(subarray_id) is not int or subarray_id < 1:
            raise ValueError(f"subarray_id is {subarray_id!r}; give the number of a subarray: 1, 2, …")
        self.subarray_id = subarray_id
        self._proxy_factory = proxy_factory
        self._executor = TangoExecutor(proxy_factory)
        self.fqdn = self._find()
        self._obs_state = Attribute(self.fqdn, "obsState")
        self._subscribed = False
        self._state: ObsState | None = None

    def abort(self) -> None:
        """Send Abort. Returns when the subarray has accepted it."""
        self._send(self.fqdn, "Abort", [])

    def assign_resources(self, resources: Mapping[str, Any], timeout: float = _DEFAULT_TIMEOUT) -> None:
        """Assign resources to the subarray, by the central node.

        :param resources: resources, in the form of AssignResources; subarray_id is added
        :param timeout: seconds to wait for IDLE
        """
        argument = json.dumps({"subarray_id": self.subarray_id, **resources})
        self._run(central_node_fqdn(), "AssignResources", [argument], ObsState.IDLE, timeout)

    def configure(self, configuration: Mapping[str, Any], timeout: float = _DEFAULT_TIMEOUT) -> None:
        """Configure the subarray for scans.

        :param configuration: configuration, in the form of Configure
        :param timeout: seconds to wait for READY
        """
        self._run(self.fqdn, "Configure", [json.dumps(configuration)], ObsState.READY, timeout)

    def scan(self, scan_id: int, timeout: float) -> None:
        """Run a scan, to its end.

        :param scan_id: its number
        :param timeout: seconds to wait until the subarray is READY again
        """
        self._run(self.fqdn, "Scan", [json.dumps({"scan_id": scan_id})], ObsState.READY, timeout)

    def end(self, timeout: float = _DEFAULT_TIMEOUT) -> None:
        """End the use of a configuration.

        :param timeout: seconds to wait for IDLE
        """
        self._run(self.fqdn, "End", [], ObsState.IDLE, timeout)

    def release_all_resources(self, timeout: float = _DEFAULT_TIMEOUT) -> None:
        """Release all resources of the subarray, by the central node.

        :param timeout: seconds to wait for EMPTY
        """
        argument = json.dumps({"subarray_id": self.subarray_id, "release_all": True})
        self._run(central_node_fqdn(), "ReleaseResources", [argument], ObsState.EMPTY, timeout)

    def _find(self) -> str:
        """Return the FQDN under which the subarray is registered; telescopes differ in padding the number."""
        prefix = subarray_fqdn_prefix()
        candidates = [f"{prefix}/{self.subarray_id}", f"{prefix}/{self.subarray_id:02d}"]
        for fqdn in candidates:
            try:
                self._proxy_factory(fqdn)
            except tango.DevFailed as failure:
                if failure.args[0].reason != "DB_DeviceNotDefined":
                    raise RuntimeError(
                        f"cannot look for {fqdn}: {failure.args[0].desc.strip()}; check that the Tango "
                        f"database runs and that TANGO_HOST, now {os.environ.get('TANGO_HOST')}, names it"
                    ) from failure
            else:
                return fqdn
        raise RuntimeError(
            f"the Tango database knows neither {' nor '.join(candidates)}; set SUBARRAYNODE_FQDN_PREFIX to "
            "what comes before the number of a subarray, and SKA_TELESCOPE to 'skamid' or 'skalow'"
        )

    def _send(self, device: str, name: str, arguments: Sequence[str]) -> None:
        answer = self._executor.execute(Command(device, name, *arguments))
        if answer is None:  # a device that does not answer with a result code
            return
        codes, messages = answer
        if refusal := _REFUSALS.get(int(codes[0])):
            raise RuntimeError(f"{name} {refusal} by {device}: {messages[0]}")

    def _run(self, device: str, name: str, arguments: Sequence[str], goal: ObsState, timeout: float) -> None:
        """Send a command, and wait until the subarray has reached the state that it leads to."""
        self._follow()
        self._send(device, name, arguments)
        self._wait_for(name, goal, timeout)

    def _follow(self) -> None:
        """Update the known state.

        There is one subscription for all commands: every change is seen once, and none that belongs
        to a command before can be taken for the effect of the next.
        """
        if not self._subscribed:
            self._executor.subscribe_event(self._obs_state)
            self._subscribed = True
        self._state = ObsState(self._executor.read(self._obs_state))
        while self._drain():  # something changed meanwhile, before or after the attribute was read
            self._state = ObsState(self._executor.read(self._obs_state))

    def _drain(self) -> int:
        """Process the waiting events, and return their number."""
        count = 0
        with suppress(TimeoutError):
            while True:
                self._next_state(0.0)
                count += 1
        return count

    def _wait_for(self, command: str, goal: ObsState, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        before, changed = self._state, False
        # A scan leads from READY to READY: the state from before the command does not count as reached.
        while not changed or self._state is not goal:
            self._require_way_out(command, goal, changed)
            try:
                self._next_state(min(max(0.0, deadline - time.monotonic()), _LOOK_AGAIN))
            except TimeoutError:
                if time.monotonic() >= deadline:
                    raise TimeoutError(
                        f"{self.fqdn} did not become {goal.name} within {timeout} s of {command}; its "
                        f"obsState {'became' if changed else 'stayed'} "
                        f"{self._state.name if self._state else 'unreadable'}"
                    ) from None
                # Tango may lose an event, in the first moment of a subscription for example.
                with suppress(tango.DevFailed):
                    self._state = ObsState(self._executor.read(self._obs_state))
            changed = changed or self._state not in {before, None}

    def _require_way_out(self, command: str, goal: ObsState, changed: bool) -> None:
        """Make sure that the subarray may still reach the state that a command leads to.

        :param changed: whether its state has changed since the command was sent
        :raises RuntimeError: if it is in a state that it does not leave by itself
        """
        state = self._state
        if state not in DEAD_ENDS or (not changed and state in TRANSITIONS[command].allowed):
            return
        how = f"went to {state.name} during" if changed else f"was {state.name} at"
        raise RuntimeError(f"{self.fqdn} {how} {command} and will not become {goal.name}: {DEAD_ENDS[state]}")

    def _next_state(self, timeout: float) -> None:
        """Wait for the next event; one that reports a failure, from which Tango may recover, gives None."""
        event = self._executor.read_event(self._obs_state, timeout)
        self._state = None if event.err else ObsState(event.attr_value.value)


class SimulatedSubarray(Subarray):
    """Subarray without a telescope: prints the commands that a `Subarray` would send.

    A command succeeds at once, or raises ``tango.DevFailed`` if a subarray does not allow it in that state.

    :ivar obs_state: its observing state; None, before the first command, for one that allows that command
    """

    obs_state: ObsState | None = None

    def _find(self) -> str:
        return f"{subarray_fqdn_prefix()}/{self.subarray_id}"

    def _send(self, device: str, name: str, arguments: Sequence[str]) -> None:
        if self.obs_state is not None:
            require_allowed(self.fqdn, self.obs_state, name)
        print(f"SIMULATED, no device is called: {name} {' '.join(arguments)} to {device}")  # noqa: T201
        self.obs_state = TRANSITIONS[name].to

    def _run(self, device: str, name: str, arguments: Sequence[str], goal: ObsState, timeout: float) -> None:
        self._send(device, name, arguments)
