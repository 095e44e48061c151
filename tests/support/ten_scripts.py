"""Ten scripts that a controller has to end when it ends itself, most of them against their will."""

import tango
from tests.support.controllers import embedded
from tests.support.operator import operate

_STUBBORN = """
import threading
from pubsub import pub

def init():
    while True:
        try:
            pub.sendMessage("user.script.announce", msg="heeds nothing from now on")
            threading.Event().wait()
        except BaseException:
            pass

def main(): ...
"""
_WAITS = "import signal\ndef main(): signal.pause()\n"


def occupy(controller: tango.DeviceProxy) -> list[int]:
    """Have ten scripts live, one of them running; return their IDs.

    :param controller: what is to run them
    """
    with operate(controller) as operator:
        stubborn = [operator.create(embedded(_STUBBORN)) for _ in range(8)]
        ready = operator.prepare(embedded(_WAITS))
        running = operator.run(embedded(_WAITS), state="RUNNING")
        for pid in stubborn:
            operator.wait_for_topic(pid, "user.script.announce")
    return [*stubborn, ready, running]
