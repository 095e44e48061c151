"""A device of the shape of the OET, and nothing else: a command, a script's process, a journal, and pushes.

This is the minimum cost of isolation and durability in Python.
"""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import tango
from tango.server import Device, attribute, command, device_property, run

_SCRIPT = "import sys\nfor line in sys.stdin:\n    print('main has returned', flush=True)\n"

_BEGUN = ("request.procedure.start", "procedure.lifecycle.statechange", "procedure.lifecycle.started")
_ENDED = (
    "procedure.lifecycle.statechange",
    "procedure.lifecycle.statechange",
    "procedure.lifecycle.complete",
)


class MinimalDevice(Device):
    """Has a script's process call a function; journals what happens, then pushes it."""

    Folder = device_property(dtype="DevString", doc="Where the journal is.")
    EventSize = device_property(dtype="DevLong", default_value=400, doc="Length of an event, in characters.")

    events = attribute(dtype="DevString", fget=lambda self: "")

    def init_device(self) -> None:
        """Open the journal, and start the script's process."""
        super().init_device()
        self.set_change_event("events", True, False)
        self._writing = threading.Lock()
        path = Path(self.Folder, "minimal.sqlite")
        self._journal = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=NORMAL",
            "CREATE TABLE events (seq INTEGER PRIMARY KEY, text TEXT)",
        ):
            self._journal.execute(statement)
        self._script = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def delete_device(self) -> None:
        """End the script's process."""
        self._script.kill()
        self._script.wait()

    @command
    def Start(self) -> None:
        """Have the function called. What that has led to is in the journal when this answers."""
        assert self._script.stdin is not None
        self._script.stdin.write(b"main\n")
        self._publish(_BEGUN, "RUNNING")

    def _follow(self) -> None:
        assert self._script.stdout is not None
        with tango.EnsureOmniThread():
            for _ in self._script.stdout:
                self._publish(_ENDED, "COMPLETE")

    def _publish(self, topics: tuple[str, ...], state: str) -> None:
        with self._writing:
            texts = [
                json.dumps({"topic": topic, "new_state": state, "time": time.time()}).ljust(self.EventSize)
                for topic in topics
            ]
            self._journal.execute("BEGIN IMMEDIATE")
            self._journal.executemany("INSERT INTO events (text) VALUES (?)", [(text,) for text in texts])
            self._journal.execute("COMMIT")
        for text in texts:
            self.push_change_event("events", text)


if __name__ == "__main__":
    run((MinimalDevice,))
