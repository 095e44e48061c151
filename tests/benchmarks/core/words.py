"""Texts of reports."""

from .machine import Machine
from .row import Aspect, Row, Target, Unit

HEADINGS = ("figure", "baseline", "median", "p99", "of baseline", "ratio", "samples", "to reach", "")
"""The columns of the table."""


def title(machine: Machine) -> str:
    """Return two lines that say where and with what it was measured."""
    versions = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    return (
        f"{machine.date}, {machine.cores} x {machine.processor}, {machine.memory_gib:g} GiB, "
        f"{machine.system}, load {machine.load:g}\nPython {machine.python}, {versions}"
    )


def cells(row: Row) -> tuple[str, ...]:
    """Return a row of the table, one text for each of `HEADINGS`."""
    return (
        row.name,
        row.baseline_name,
        f"{_number(row.measured.median, row.unit)} {row.unit}",
        _number(row.measured.p99, row.unit),
        "" if row.baseline is None else _number(row.baseline.median, row.unit),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        str(row.measured.count),
        ", ".join(described(target, row) for target in row.targets),
        verdict(row),
    )


def described(target: Target, row: Row) -> str:
    """Return a target of a row."""
    sign = "≥" if target.is_floor else "≤"
    aspects = {Aspect.MEDIAN: row.unit, Aspect.P99: f"{row.unit} p99"}
    return f"{sign} {target.bound:,g} {aspects.get(target.aspect, target.aspect)}"


def verdict(row: Row) -> str:
    """Return whether a row has reached what it was to reach, or "stated" if there is no such thing."""
    if not row.targets:
        return "stated"
    return "missed" if row.missed else "reached"


def _number(value: float, unit: Unit) -> str:
    if unit is Unit.PER_SECOND:
        return f"{value:,.0f}"
    if value < 100:
        return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
    return f"{value:,.0f}"
