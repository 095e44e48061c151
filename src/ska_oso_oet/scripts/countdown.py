"""A script that takes a while: it reports its progress, and can be stopped at any moment."""

import time

from pubsub import pub

from ska_oso_oet.event import topics


def main(seconds: float = 3.0, steps: int = 10) -> None:
    """Count down.

    :param seconds: how long to take
    :param steps: how often to report progress
    """
    try:
        for step in range(1, steps + 1):
            time.sleep(seconds / steps)
            print(f"step {step} of {steps}")
            pub.sendMessage(topics.user.script.progress, progress=100 * step / steps)
    finally:
        # Also runs when the script is stopped: the place to leave everything tidy.
        print("the countdown has ended")
    pub.sendMessage(topics.user.script.announce, msg="Lift-off!")
