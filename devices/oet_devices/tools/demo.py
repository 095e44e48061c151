"""``make demo``: real scripts, run through Tango and the ``oet`` command, as an operator would see it."""

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import tango
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from ska_oso_oet.cli.event_lines import event_line
from ska_oso_oet.model import Event, ProcedureSummary

from ..properties import SHIPPED_SCRIPTS

_READY = "OET ready:"
_TIMEOUT = 30.0
_ENTRIES = 3

_STYLES = {"COMPLETE": "green", "READY": "cyan", "RUNNING": "yellow", "FAILED": "red", "STOPPED": "magenta"}


class Demo:
    """An operator at work.

    :param console: where to print
    :param where: the values of the stack's ready line: ``TANGO_HOST``, ``DEVICE`` and so on
    """

    def __init__(self, console: Console, where: dict[str, str]) -> None:
        self._console = console
        self._where = where
        self._controller = tango.DeviceProxy(f"tango://{where['TANGO_HOST']}/{where['DEVICE']}")
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._controller.subscribe_event("events", tango.EventType.CHANGE_EVENT, self._on_event)

    def _on_event(self, event: tango.EventData) -> None:
        # The first event of a subscription has the present value, which is empty.
        if not event.err and event.attr_value.value != "{}":
            self._events.put(Event.model_validate_json(event.attr_value.value))

    def run(self) -> None:
        """Show everything."""
        self._console.print(f"\n[bold]The device says:[/bold] {self._controller.status()}")
        self._show_scripts()
        self._heading("A script that runs to its end")
        self._run("hello_world", {"name": "telescope"})
        self._heading("A script that fails")
        self._run("fails", {"reason": "the antenna is stuck"})
        self._heading("A script that takes a minute, stopped before that")
        self._run("countdown", {"seconds": 60, "steps": 600}, stop_after="user.script.progress")
        self._heading("An activity of a Scheduling Block, from the command line")
        self._type("activity", "run", "allocate", "sbd-123", "--listen=False")
        self._watch(_activity_has_ended)
        self._type("activity", "describe")
        self._heading("A script from the command line, followed until it ends")
        self._type("procedure", "create", "file://hello_world.py")
        self._type("procedure", "start", "bob")
        self._type("procedure", "list")
        self._heading("Three entries of the observing queue, which run by themselves")
        self._type("queue", "add", "file://countdown.py", "--seconds=1", "--steps=2", "--note=calibration")
        self._type("queue", "add", "observe", "--sbd=sbd-123", "--note=the target")
        self._type("queue", "add", "file://hello_world.py", "again")
        self._type("queue", "start")
        self._watch(_third_entry_has_ended)
        self._type("queue", "list")
        self._heading("All procedures")
        self._show_procedures()

    def _type(self, *arguments: str) -> None:
        """Run the ``oet`` command, and show what it prints."""
        command = Path(sys.executable).with_name("oet")
        self._console.print(f"[bold]$ oet {' '.join(arguments)}[/bold]", highlight=False)
        environment = {**os.environ, "OET_REST_URI": self._where["REST"]}
        done = subprocess.run(
            [command, *arguments], env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        self._console.print(done.stdout.rstrip() + "\n", markup=False, highlight=False, soft_wrap=True)
        if done.returncode != 0:
            raise SystemExit(f"oet {arguments[0]} {arguments[1]} ended with status {done.returncode}")

    def _heading(self, text: str) -> None:
        self._console.print()
        self._console.rule(f"[bold]{text}", align="left")

    def _show_scripts(self) -> None:
        names = [Path(uri).name for uri in self._controller.scripts]
        self._console.print(f"[bold]It can run:[/bold] {', '.join(names)}")

    def _run(self, script: str, arguments: dict[str, Any], stop_after: str | None = None) -> None:
        """Create and start a script, and show its events until it has ended."""
        uri = (SHIPPED_SCRIPTS / f"{script}.py").as_uri()
        self._invoke("Create", uri)
        self._watch(_is_ready)
        self._invoke("Start", json.dumps({"script_args": {"main": {"kwargs": arguments}}}))
        if stop_after is not None:
            self._watch(lambda event: event.topic == stop_after)
            self._invoke("Stop", "")
        self._watch(_has_ended)
        self._show_end()

    def _invoke(self, command: str, argument: str) -> None:
        (code,), (answer,) = self._controller.command_inout(command, argument)
        self._console.print(f"[bold]>>> oet.{command}[/bold]({argument!r})", soft_wrap=True)
        if code > 1:
            raise SystemExit(f"{command} was refused: {answer}")

    def _watch(self, until: Callable[[Event], bool]) -> None:
        """Show events, the one that was waited for being the last."""
        while True:
            event = self._events.get(timeout=_TIMEOUT)
            self._show_event(event)
            if until(event):
                return

    def _show_event(self, event: Event) -> None:
        self._console.print(event_line(event), highlight=False, soft_wrap=True)

    def _show_end(self) -> None:
        procedure = ProcedureSummary.model_validate_json(self._controller.DescribeProcedure(0))
        output = json.loads(self._controller.GetOutput("{}"))["lines"]
        if output:
            self._console.print(Panel("\n".join(output[-5:]), title="output", title_align="left"))
        if procedure.history.stacktrace:
            trace = procedure.history.stacktrace.rstrip()
            self._console.print(Panel(trace, title="stack trace", title_align="left", style="red"))

    def _show_procedures(self) -> None:
        table = Table("ID", "Script", "Created", "Took", "State")
        for item in json.loads(self._controller.procedures):
            procedure = ProcedureSummary.model_validate(item)
            (_, first), (_, last) = procedure.history.process_states[0], procedure.history.process_states[-1]
            table.add_row(
                str(procedure.id),
                Path(str(procedure.script.uri)).name,
                datetime.fromtimestamp(procedure.created).strftime("%H:%M:%S"),
                f"{last - first:.3f} s",
                _styled(procedure.state),
            )
        self._console.print(table)


def _is_ready(event: Event) -> bool:
    return event.fields.get("new_state") == "READY"


def _has_ended(event: Event) -> bool:
    # A failure announces its stack trace last.
    return event.topic in (
        "procedure.lifecycle.complete",
        "procedure.lifecycle.stopped",
        "procedure.lifecycle.stacktrace",
    )


def _activity_has_ended(event: Event) -> bool:
    return event.topic == "activity.lifecycle.statechange" and event.fields["new_state"] == "COMPLETE"


def _third_entry_has_ended(event: Event) -> bool:
    ended = event.topic == "queue.entry.changed" and event.fields["result"]["state"] == "DONE"
    return ended and event.fields["entry_id"] == _ENTRIES


def _styled(state: str) -> str:
    style = _STYLES.get(state)
    return f"[{style}]{state}[/{style}]" if style else state


@contextmanager
def running_stack() -> Iterator[dict[str, str]]:
    """Run the stack on free ports as long as the context lasts, and yield its addresses.

    :raises SystemExit: if it does not start
    """
    command = [sys.executable, "-P", "-m", "oet_devices.tools.stack", "--tango-port", "0", "--rest-port", "0"]
    command.append("--quiet")  # that a script fails is part of the demonstration
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stack:
        try:
            assert stack.stdout is not None, "a pipe was asked for"  # noqa: S101
            line = stack.stdout.readline()
            if not line.startswith(_READY):
                raise SystemExit("The stack did not start; its message is above.")
            yield dict(item.split("=", 1) for item in line.removeprefix(_READY).split())
        finally:
            stack.terminate()


def main() -> None:
    """Run the demonstration."""
    # Without a terminal, tables need not be narrow.
    console = Console(width=None if sys.stdout.isatty() else 120)
    began = time.monotonic()
    with running_stack() as where:
        console.print(
            f"[bold]All is up[/bold] after {time.monotonic() - began:.1f} s: "
            f"{' '.join(f'{name}={value}' for name, value in where.items())}",
            soft_wrap=True,
        )
        console.print(f"Look at it in a browser as long as this runs: [bold]{where['PAGE']}[/bold]")
        Demo(console, where).run()
    console.print("\nAll of it has ended, and nothing is left behind. `make up` runs it until Ctrl-C.")


if __name__ == "__main__":
    main()
