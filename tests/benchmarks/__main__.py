"""Measures, prints the table and writes the figures: ``python -m tests.benchmarks``."""

import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from tests.benchmarks.core.machine import this_machine
from tests.benchmarks.core.markdown import put_into
from tests.benchmarks.core.report import show, write
from tests.benchmarks.core.row import Row
from tests.benchmarks.rows import (
    bursts,
    events,
    history,
    idle,
    minimal,
    page,
    procedures,
    queries,
    queue,
    rest,
    sardana,
    stages,
    start,
    stops,
    subarrays,
)
from tests.benchmarks.stack.bench import Bench, bench

GROUPS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "start": start.measure,
    "idle": idle.measure,
    "queries": queries.measure,
    "procedures": procedures.measure,
    "stops": stops.measure,
    "queue": queue.measure,
    "minimal": minimal.measure,
    "sardana": sardana.measure,
    "rest": rest.measure,
    "events": events.measure,
    "stages": stages.measure,
    "bursts": bursts.measure,
    "history": history.measure,
    "subarrays": subarrays.measure,
    "page": page.measure,
}
"""The groups of rows, in the order of the table."""

_WIDTH = 190
"""Columns of a file, or of a pipe."""


@click.command(context_settings={"show_default": True})
@click.option(
    "--only",
    "chosen",
    type=click.Choice(list(GROUPS)),
    multiple=True,
    help="Group of rows to measure; may be given more than once. All of them by default.",
    show_default=False,
)
@click.option("--quick", is_flag=True, help="Take hardly any samples: shows that it works, not how fast.")
@click.option(
    "--output", type=click.Path(path_type=Path), default="bench-results.json", help="File for the figures."
)
@click.option(
    "--markdown",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Document to put the table into, in the place of the one that it has.",
)
def main(chosen: tuple[str, ...], quick: bool, output: Path, markdown: Path | None) -> None:
    """Measure the OET against bare Tango, bare HTTP streaming, a minimal program and Sardana."""
    console = _console()
    machine = this_machine()
    rows: list[Row] = []
    began = time.monotonic()
    with bench(quick=quick) as running:
        # Otherwise what this client collects would be measured: it stops all of its threads for up to 0.1 s.
        gc.disable()
        for name in chosen or GROUPS:
            gc.collect()
            console.print(f"[dim]{time.monotonic() - began:4.0f} s  measuring {name}[/dim]", highlight=False)
            rows += GROUPS[name](running)
    show(console, machine, rows)
    write(output, machine, rows)
    if markdown is not None:
        put_into(markdown, machine, rows)
    console.print(f"[dim]It took {time.monotonic() - began:.0f} s; the figures are in {output}.[/dim]")


def _console() -> Console:
    """Return a console on which a row of the table has room, a file included."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


if __name__ == "__main__":
    main()
