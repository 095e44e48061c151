"""Init while clients are at work: nobody loses an answer, a command or an event."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import tango
from tests.integration.oet_devices.protocol.conftest import end_all, prepare
from tests.support.controllers import controller_proxy, embedded
from tests.support.events import EventLog, listen
from tests.support.lrc_client import invoke
from tests.support.patience import PATIENCE

from oet_devices.ska.enums import ResultCode, TaskStatus

_CLIENTS = 4
_INITS = 12
_SCRIPTS = ["def main(): print(6 * 7)", "import signal\ndef main(): signal.pause()"]


@pytest.fixture
def controller(controllers: list[tango.DeviceProxy]) -> Iterator[tango.DeviceProxy]:
    """A controller that is left with nothing that runs."""
    prepare(controllers[2], _SCRIPTS[0])
    yield controllers[2]
    end_all(controllers[2])


def test_a_command_goes_on_through_init(controller: tango.DeviceProxy) -> None:
    number = prepare(controller, _SCRIPTS[1])
    with invoke(controller, "Start", "") as start:
        controller.Init()
        assert controller.State() == tango.DevState.ON, "the memorised admin mode counts again"
        assert controller.runningProcedure == number
        assert [json.loads(text)["uid"] for text in controller.lrcExecuting] == [start.id]
        with invoke(controller, "Stop", "") as stop:
            assert stop.wait_for_end().statuses[-1] is TaskStatus.COMPLETED
        assert start.wait_for_end().statuses[-1] is TaskStatus.ABORTED


def _wait_for_more(log: EventLog, count: int) -> None:
    log.wait_until(lambda log: len(log.events) > count)


def test_init_in_the_middle_of_it_all(tango_host: str, controller: tango.DeviceProxy) -> None:
    over = threading.Event()

    def work(number: int) -> list[str]:
        """Send commands until it is over; return what was refused."""
        proxy = controller_proxy(tango_host, controller.dev_name())
        dice, refused = random.Random(number), []
        with tango.EnsureOmniThread():
            while not over.is_set():
                creates = [("Create", embedded(script)) for script in _SCRIPTS]
                command, argument = dice.choice([*creates, ("Start", ""), ("Stop", "")])
                [code], [text] = proxy.command_inout(command, argument)
                if code == ResultCode.REJECTED:
                    refused.append(text)
        return refused

    with listen(controller, ["events", "_lrcEvent"]) as log:
        with ThreadPoolExecutor(_CLIENTS) as pool:
            working = [pool.submit(work, number) for number in range(_CLIENTS)]
            for _ in range(_INITS):
                heard = len(log.events)
                controller.Init()
                _wait_for_more(log, heard + 20)
            over.set()
            refused = [text for client in working for text in client.result(PATIENCE)]
        with invoke(controller, "Abort") as abort:
            abort.wait_for_end()
        log.wait_until(lambda log: any(value[:1] == (abort.id,) for value in log.of("_lrcEvent")))
        heard_events, heard_changes = log.of("events")[1:], log.of("_lrcEvent")

    # They were refused because of what procedures did, never because of the device's state.
    assert [text for text in refused if "in state" in text] == []
    numbers = [json.loads(text)["seq"] for text in heard_events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    statuses: dict[str, list[int]] = {}
    for uid, text in filter(None, heard_changes):
        if (status := json.loads(text).get("status")) is not None:
            statuses.setdefault(uid, []).append(status)
    assert all(reported == sorted(reported) for reported in statuses.values())
    assert controller.lrcExecuting == ()
