"""A stack with three subarrays for the control page, and what tests of the page have in common."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page
from tests.support.patience import PATIENCE, wait_until
from tests.support.processes import ServerProcess

SUBARRAYS = 3

SCRIPTS = {
    "scan": '''
"""Scan a target, and say how far it has come."""
import math, pathlib, struct, time, zlib
from pubsub import pub
from ska_oso_oet.event import topics

WIDTH, HEIGHT = 480, 160

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def picture():
    """Return a line of hydrogen as a PNG, 8 bits of grey."""
    line = [20 + 110 * math.exp(-((x - 250) / 28) ** 2) + 6 * math.sin(x * 1.7) for x in range(WIDTH)]
    ink = lambda x, y: 40 if abs(HEIGHT - 10 - y - line[x]) < 1.6 else 250
    rows = [bytes(ink(x, y) for x in range(WIDTH)) for y in range(HEIGHT)]
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\\0" + row for row in rows))
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")

def main(scans: int = 3, seconds: float = 0.0, target: str = "Sgr A*"):
    for scan in range(1, scans + 1):
        message = f"scan {scan} of {scans} on {target}"
        print(message)
        pub.sendMessage(topics.user.script.progress, progress=100 * scan / scans, msg=message)
        time.sleep(seconds)
    pathlib.Path("spectrum.png").write_bytes(picture())
    pathlib.Path("notes.txt").write_text("fine")
    return {"scans": scans, "target": target}
''',
    "hold": '''
"""Run until it is stopped."""
import signal, sys

def main():
    print("holding", flush=True)
    while True:
        signal.pause()
''',
    "fails": '''
"""Fail, two calls deep."""

def point(antenna):
    raise RuntimeError(f"{antenna} is stuck")

def main():
    point("Dish 012")
''',
    "says": '''
"""Print texts, and send them as events and results."""
from pubsub import pub
from ska_oso_oet.event import topics

def main(text: str):
    print(text)
    pub.sendMessage(topics.user.script.announce, msg=text)
    pub.sendMessage(topics.user.script.progress, progress=50, msg=text)
    raise ValueError(text)
''',
    "prints": '''
"""Print many lines."""

def main(lines: int):
    for line in range(lines):
        print(f"line {line} of the output")
''',
    "sends": '''
"""Send many events, and print many lines, for some time."""
import time
from pubsub import pub
from ska_oso_oet.event import topics

def main(seconds: float, events: int = 50, lines: int = 250):
    begin, step = time.monotonic(), 0
    while time.monotonic() < begin + seconds:
        for number in range(events // 10):
            pub.sendMessage(topics.user.script.announce, msg=f"event {step} {number}")
        print("\\n".join(f"step {step} line {number}" for number in range(lines // 10)))
        step += 1
        time.sleep(max(0, begin + step / 10 - time.monotonic()))
''',
    "asks": '''
"""Ask the operator, and say what the answer was."""
from ska_oso_oet.interaction import ask

def main(text: str, rest: dict):
    kinds = {"float": float, "str": str, "bool": bool}
    print("the answer is", repr(ask(text, **{**rest, "type": kinds[rest.get("type", "str")]})))
''',
    "steps": '''
"""Come to a checkpoint before each scan."""
import time
from ska_oso_oet.interaction import checkpoint

def main(scans: int = 1000, seconds: float = 0.05):
    for scan in range(1, scans + 1):
        checkpoint(f"scan {scan} of {scans}")
        time.sleep(seconds)
''',
    "abort": '''
"""Say that Abort was sent."""

def main(subarray_id=None):
    print(f"aborting {subarray_id}")
''',
}


@dataclass
class PageStack:
    """A stack that is up.

    :param process: ``oet-stack`` itself
    :param url: address of the control page
    :param scripts: folder of its scripts
    :param subarrays: how many it has
    """

    process: ServerProcess
    url: str
    scripts: Path
    subarrays: int

    def rest(self, subarray: int) -> httpx.Client:
        """Return a client of the REST service of a subarray."""
        return httpx.Client(base_url=f"{self.url}subarrays/{subarray}/api/v1.0", timeout=PATIENCE)

    def create(self, subarray: int, script: str, **arguments: Any) -> int:
        """Prepare a script, and wait until it is READY.

        :param subarray: number of the subarray
        :param script: name of a script in `SCRIPTS`
        :param arguments: of its ``main``
        :returns: ID of its procedure
        """
        body = {
            "script_uri": (self.scripts / f"{script}.py").as_uri(),
            "script_args": {"main": {"kwargs": arguments}},
        }
        with self.rest(subarray) as rest:
            answer = rest.post("/procedures", json=body)
            assert answer.status_code == 201, answer.text
            procedure_id = int(answer.json()["procedure"]["id"])
        self.wait_for(subarray, procedure_id, "READY")
        return procedure_id

    def start(self, subarray: int, script: str, **arguments: Any) -> int:
        """Prepare a script, and start it; see `create`."""
        procedure_id = self.create(subarray, script, **arguments)
        with self.rest(subarray) as rest:
            answer = rest.put(f"/procedures/{procedure_id}", json={"state": "RUNNING"})
            assert answer.status_code == 200, answer.text
        return procedure_id

    def run(self, subarray: int, script: str, state: str = "COMPLETE", **arguments: Any) -> int:
        """Prepare a script, start it, and wait until it has ended; see `create`.

        :param state: the state that it ends in
        """
        procedure_id = self.start(subarray, script, **arguments)
        self.wait_for(subarray, procedure_id, state)
        return procedure_id

    def wait_for(self, subarray: int, procedure_id: int, state: str) -> None:
        """Wait until a procedure is in a state."""
        with self.rest(subarray) as rest:

            def present() -> str:
                return str(rest.get(f"/procedures/{procedure_id}").json()["procedure"]["state"])

            wait_until(lambda: present() == state, f"procedure {procedure_id} is {state}", seen=present)

    def stop_all(self) -> None:
        """Stop all procedures that live."""
        for subarray in range(1, self.subarrays + 1):
            with self.rest(subarray) as rest:
                for procedure in rest.get("/procedures").json()["procedures"]:
                    if procedure["state"] not in ("COMPLETE", "FAILED", "STOPPED", "UNKNOWN"):
                        rest.put(f"/procedures/{procedure['id']}", json={"state": "STOPPED"})


@contextmanager
def page_stack(folder: Path, subarrays: int = SUBARRAYS) -> Iterator[PageStack]:
    """Run a stack with several subarrays as long as the context lasts.

    :param folder: for scripts and state
    :param subarrays: how many
    """
    scripts = folder / "scripts"
    scripts.mkdir()
    for name, text in SCRIPTS.items():
        (scripts / f"{name}.py").write_text(text.lstrip())
    command = [sys.executable, "-m", "oet_devices.tools.stack", f"--subarrays={subarrays}"]
    command += [
        "--tango-port=0",
        "--rest-port=0",
        f"--state-dir={folder / 'state'}",
        f"--script-root={scripts}",
    ]
    process = ServerProcess(command)
    try:
        yield PageStack(process, process.wait_for_output(r"PAGE=(\S+)")[1], scripts, subarrays)
    finally:
        process.stop()


@contextmanager
def watched(page: Page, expected: str | None = None) -> Iterator[None]:
    """Fail if a page reports an error: a fault of a script, or what its policy has refused.

    :param page: the page
    :param expected: part of messages that are not faults
    """
    problems: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        # A request that is refused or not answered is reported by the browser as well.
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    page.on("console", on_console)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield
    assert not problems, problems


def assert_accessible(page: Page) -> None:
    """Check a page against WCAG 2.2 AA, as far as axe can."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    results = Axe().run(page, options={"runOnly": tags})
    found = [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes']]}"
        for each in results.response["violations"]
    ]
    assert not found, "\n".join(found)
