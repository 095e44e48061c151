"""Measures, prints the table and writes the figures: ``python -m tests.benchmarks``."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from tests.benchmarks.core.machine import this_machine
from tests.benchmarks.core.report import show, write
from tests.benchmarks.core.row import Row
from tests.benchmarks.rows import bursts, events, procedures, queries
from tests.benchmarks.stack.bench import Bench, bench

GROUPS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "queries": queries.measure,
    "procedures": procedures.measure,
    "events": events.measure,
    "bursts": bursts.measure,
}
"""The groups of rows, in the order of the table."""


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
def main(chosen: tuple[str, ...], quick: bool, output: Path) -> None:
    """Measure the OET against bare Tango and bare HTTP streaming."""
    console = Console()
    machine = this_machine()
    rows: list[Row] = []
    began = time.monotonic()
    with bench(quick=quick) as running:
        for name in chosen or GROUPS:
            console.print(f"[dim]{time.monotonic() - began:4.0f} s  measuring {name}[/dim]", highlight=False)
            rows += GROUPS[name](running)
    show(console, machine, rows)
    write(output, machine, rows)
    console.print(f"[dim]It took {time.monotonic() - began:.0f} s; the figures are in {output}.[/dim]")


if __name__ == "__main__":
    main()
