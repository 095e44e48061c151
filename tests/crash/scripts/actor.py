"""Plays one of the parts that scripts of a telescope play: those that behave, and those that do not.

Each line of its output begins with a token, by which a witness recognises whose line it is.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pubsub import pub

from ska_oso_oet.event import topics

_reported = {"token": "actor", "part": "quiet"}
_lines = itertools.count()

_LONG = 3600
_SLEEPER = [sys.executable, "-c", f"import time; time.sleep({_LONG})"]


def init(token: str = "actor", part: str = "quiet") -> None:
    """Learn the part.

    :param token: begins each line of output
    :param part: name of one of the functions below
    """
    _reported.update(token=token, part=part)
    _say("init")
    if part == "family":
        _have_family()
    if part == "fails_early":
        raise RuntimeError("this script fails in init")


def main(**_: Any) -> None:
    """Play the part."""
    _PARTS[_reported["part"]]()


def _say(text: str) -> None:
    print(f"{_reported['token']} {next(_lines)} {text}")


def _announce(text: str) -> None:
    pub.sendMessage(topics.user.script.announce, msg=text)


def _quiet() -> None:
    _say("all is quiet")
    _announce("all is quiet")


def _steady() -> None:
    for step in itertools.count(1):
        _say(f"step {step}")
        _announce(f"step {step}")
        pub.sendMessage(topics.user.script.progress, progress=step % 101)
        time.sleep(0.01)


def _chatty() -> None:
    for number in range(2000):
        _say(f"number {number}")
        _announce(f"number {number}")


def _fails() -> None:
    _steady_for(10)
    raise RuntimeError("this script fails in main")


def _vanishes() -> None:
    _steady_for(5)
    os.kill(os.getpid(), signal.SIGKILL)


def _mutters() -> None:
    """Write a line that never ends."""
    print(f"{_reported['token']} {next(_lines)} moving", end="", flush=True)
    for _ in itertools.count():
        time.sleep(0.1)
        print(" ...", end="", flush=True)


def _deaf() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _steady()


def _have_family() -> None:
    """Have descendants of every kind: in the group, in a session of their own, orphaned, forked, deaf."""
    Path("family.txt").write_text("five")
    subprocess.Popen(_SLEEPER)
    subprocess.Popen(_SLEEPER, start_new_session=True, env={})
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(_LONG)
        os._exit(0)


def _leaves() -> None:
    """End, and leave a descendant behind."""
    subprocess.Popen(_SLEEPER, start_new_session=True)
    _quiet()


def _steady_for(steps: int) -> None:
    for step in range(steps):
        _say(f"step {step}")
        _announce(f"step {step}")
        time.sleep(0.01)


_PARTS = {
    "quiet": _quiet,
    "steady": _steady,
    "chatty": _chatty,
    "fails": _fails,
    "fails_early": _quiet,
    "vanishes": _vanishes,
    "mutters": _mutters,
    "deaf": _deaf,
    "family": _steady,
    "leaves": _leaves,
}
