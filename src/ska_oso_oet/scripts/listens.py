"""A script that operators can send messages to while it runs: it skips the scans that they name."""

import time

from pubsub import pub

from ska_oso_oet.interaction import checkpoint, context

skipped: set[int] = set()


def on_skip(scan: int) -> None:
    """Remember a scan to skip. Called in the thread that delivers messages of operators."""
    skipped.add(scan)


def main(scans: int = 5, seconds: float = 1.0) -> list[int]:
    """Make some scans, and return those that were made.

    :param scans: how many
    :param seconds: how long each takes
    """
    # pypubsub keeps no reference to a listener: a function of the module stays.
    pub.subscribe(on_skip, "operator.scan.skip")
    made = []
    for scan in range(1, scans + 1):
        checkpoint(f"scan {scan} of {scans}")
        if scan in skipped:
            print(f"scan {scan} is skipped")
            continue
        time.sleep(seconds)
        made.append(scan)
    if context["wait_for_qa_ready"]:
        print("operators want scripts to wait for the quality assessment")
    return made
