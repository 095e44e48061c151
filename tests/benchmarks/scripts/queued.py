"""Writes down when it begins and ends, as an entry of the queue does it that others follow."""

import time
from pathlib import Path


def main(log: str, seconds: float) -> None:
    """Take some time, between two stamps.

    :param log: file that the stamps are added to, in nanoseconds of the monotonic clock
    :param seconds: how long it takes
    """
    began = time.monotonic_ns()
    time.sleep(seconds)
    with Path(log).open("a") as file:
        file.write(f"{began} {time.monotonic_ns()}\n")
