"""Runs a number of procedures of random kinds, and says whether all ended well and nothing was left."""

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from tests.support.leftovers import Holdings, end_forkserver, start_marked_forkserver

from .kinds import KINDS
from .run import Plan, Report, StressRun

_PRELOAD = (
    "numpy",
    "tango",
    "ska_oso_oet.procedure.worker.script_worker",
    "ska_oso_oet.procedure.worker.packages",
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--procedures", type=int, default=2000, help="how many to run (default: 2000)")
    parser.add_argument("--seed", type=int, help="repeats what an earlier run did (default: a new one)")
    parser.add_argument("--operators", type=int, default=6, help="how many work at a time (default: 6)")
    parser.add_argument("--warm-up", type=int, help="how many to run before measuring (default: a tenth)")
    return parser.parse_args()


def main() -> int:
    """Run; return the exit status."""
    chosen = _arguments()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}: {chosen.procedures} procedures of {len(KINDS)} kinds", flush=True)
    logging.basicConfig(level=logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="oet-stress-") as folder, pytest.MonkeyPatch.context() as patch:
        (temporary := Path(folder) / "tmp").mkdir()
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        mark = start_marked_forkserver(_PRELOAD)
        at_start = Holdings.take(mark)
        warm_up = chosen.procedures // 10 if chosen.warm_up is None else chosen.warm_up
        plan = Plan(chosen.procedures, seed, chosen.operators, warm_up, Path(folder))
        report = StressRun(plan, mark).run()
        end_forkserver()
        report.complaints += [f"left behind: {what}" for what in Holdings.take(mark).missing_from(at_start)]
    _show(plan, report)
    return 1 if report.complaints else 0


def _show(plan: Plan, report: Report) -> None:
    ends = ", ".join(f"{count} {state}" for state, count in sorted(report.ends.items()))
    before, after = report.before, report.after
    rows = [
        ("procedures", f"{plan.procedures} after {plan.warm_up} to warm up, by {plan.operators} operators"),
        ("ended", f"{ends} (abort scripts and warm-up included)"),
        ("time", f"{report.seconds:.1f} s, {plan.procedures / report.seconds:.1f} procedures/s"),
        ("queue", f"{report.entries} entries have begun beside them"),
        ("events", f"{report.events}"),
        ("processes", f"{len(before.holdings.processes)} before, {len(after.holdings.processes)} after"),
        ("threads", f"{len(before.holdings.threads)} before, {len(after.holdings.threads)} after"),
        (
            "descriptors",
            f"{len(before.holdings.descriptors)} before, {len(after.holdings.descriptors)} after",
        ),
        ("files", f"{len(before.holdings.files)} before, {len(after.holdings.files)} after"),
        ("memory", f"{before.memory / 2**20:.1f} MiB before, {after.memory / 2**20:.1f} MiB after"),
        ("machine", f"{psutil.cpu_count()} processors, load {psutil.getloadavg()[0]:.1f}"),
    ]
    for name, value in rows:
        print(f"{name:12} {value}")
    for complaint in report.complaints:
        print(f"WRONG        {complaint}")
    print(
        "all as it should be" if not report.complaints else f"{len(report.complaints)} complaints", flush=True
    )


if __name__ == "__main__":
    sys.exit(main())
