"""``python -m tests.crash --rounds 100``: kill a device server at random moments, and see what is lost."""

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from .harness import CrashHarness


@click.command()
@click.option("--rounds", default=100, show_default=True, help="How often to kill the server.")
@click.option("--seed", help="Of all that is chosen at random, to try again what has failed.")
def main(rounds: int, seed: str | None) -> None:
    """Kill a device server at random moments, and compare what clients saw with what is remembered.

    Ends with status 1 if anything that was seen is missing or different, or a process has outlived its
    server; the state directory is kept then.
    """
    seed = seed or str(random.SystemRandom().randrange(2**32))
    folder = Path(tempfile.mkdtemp(prefix="oet-crash-"))
    print(f"seed {seed}, state in {folder}")
    began = time.monotonic()
    passed = seen = journalled = unknown = processes = 0
    for each in CrashHarness(folder, seed).run(rounds):
        print(each, flush=True)
        passed += not each.findings
        seen += each.seen
        journalled += each.journalled
        unknown += each.unknown
        processes += each.processes
    print(
        f"{passed} of {rounds} rounds passed in {time.monotonic() - began:.0f} s (seed {seed}): "
        f"{seen} events seen, {journalled} journalled, {unknown} procedures unknown, "
        f"{processes} processes ended with their servers"
    )
    if passed != rounds:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
