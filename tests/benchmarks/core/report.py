"""Report of a measurement: as a table for people, as JSON for programs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .machine import Machine
from .measure import Distribution
from .row import Row, Target
from .words import HEADINGS, cells, described, title, verdict


def show(console: Console, machine: Machine, rows: Sequence[Row]) -> None:
    """Print the table, and below it what each figure says of itself.

    :param console: where to
    :param machine: where it was measured
    :param rows: what was measured
    """
    table = Table(title=title(machine), title_justify="left")
    for name in HEADINGS[:2]:
        table.add_column(name)
    for name in HEADINGS[2:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(HEADINGS[-1], no_wrap=True)
    for row in rows:
        # Of a target that was missed one sees which.
        targets = ", ".join(_coloured(target, row) for target in row.targets)
        colour = "dim" if not row.targets else "red" if row.missed else "green"
        table.add_row(*cells(row)[:-2], targets, f"[{colour}]{verdict(row)}[/{colour}]")
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"[dim]{row.name}: {row.note}[/dim]", highlight=False)


def _coloured(target: Target, row: Row) -> str:
    text = described(target, row)
    return f"[red]{text}[/red]" if target in row.missed else text


def write(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Write all of it as JSON.

    :param path: the file
    :param machine: where it was measured
    :param rows: what was measured
    """
    document = {"machine": machine.model_dump(), "rows": [_document(row) for row in rows]}
    path.write_text(json.dumps(document, indent=2) + "\n")


def _document(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "unit": row.unit,
        "measured": _summary(row.measured),
        "baseline": None if row.baseline is None else {"name": row.baseline_name, **_summary(row.baseline)},
        "ratio": row.ratio,
        "targets": [
            {
                "aspect": target.aspect,
                "bound": target.bound,
                "at": "least" if target.is_floor else "most",
                "value": row.value(target.aspect),
                "reached": target not in row.missed,
            }
            for target in row.targets
        ],
        "reached": not row.missed if row.targets else None,
        "note": row.note,
    }


def _summary(distribution: Distribution) -> dict[str, float]:
    return {"median": distribution.median, "p99": distribution.p99, "count": distribution.count}
