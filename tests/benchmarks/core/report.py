"""Tells what was measured: as a table for people, as JSON for programs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .machine import Machine
from .measure import Distribution
from .row import Aspect, Row, Target, Unit


def show(console: Console, machine: Machine, rows: Sequence[Row]) -> None:
    """Print the table, and below it what each figure says of itself.

    :param console: where to
    :param machine: where it was measured
    :param rows: what was measured
    """
    table = Table(title=_title(machine), title_justify="left", show_lines=False)
    for heading in ("figure", "baseline"):
        table.add_column(heading)
    for heading in ("median", "p99", "baseline", "ratio", "target", "n"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(*_cells(row))
    console.print(table)
    for row in rows:
        if row.note:
            console.print(f"[dim]{row.name}: {row.note}[/dim]", highlight=False)


def write(path: Path, machine: Machine, rows: Sequence[Row]) -> None:
    """Write all of it as JSON.

    :param path: the file
    :param machine: where it was measured
    :param rows: what was measured
    """
    document = {"machine": machine.model_dump(), "rows": [_document(row) for row in rows]}
    path.write_text(json.dumps(document, indent=2) + "\n")


def _title(machine: Machine) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        f"{machine.date}, {machine.cores} x {machine.processor}, {machine.memory_gib:g} GiB, "
        f"{machine.system}, load {machine.load:g}\nPython {machine.python}, {versions}"
    )


def _cells(row: Row) -> list[str]:
    baseline = "" if row.baseline is None else _number(row.baseline.median, row.unit)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    targets = ", ".join(_target(target, row) for target in row.targets)
    verdict = ("[red]missed[/red]" if row.missed else "[green]reached[/green]") if row.targets else "stated"
    median, p99 = (_number(value, row.unit) for value in (row.measured.median, row.measured.p99))
    count = str(row.measured.count)
    return [
        row.name,
        row.baseline_name,
        f"{median} {row.unit}",
        p99,
        baseline,
        ratio,
        targets,
        count,
        verdict,
    ]


def _target(target: Target, row: Row) -> str:
    sign = "≥" if target.is_floor else "≤"
    text = (
        f"{sign} {_number(target.bound, row.unit)} {row.unit}"
        if target.aspect is Aspect.MEDIAN
        else f"{sign} {target.bound:g} {target.aspect}"
    )
    return f"[red]{text}[/red]" if target in row.missed else text


def _number(value: float, unit: Unit) -> str:
    if unit is Unit.PER_SECOND:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


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
