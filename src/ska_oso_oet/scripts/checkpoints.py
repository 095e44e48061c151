"""A script that can be held at a safe place: between two scans."""

import time

from ska_oso_oet.interaction import checkpoint


def main(scans: int = 5, seconds: float = 1.0) -> None:
    """Make some scans. Pause, Step and a stop at a checkpoint take effect between them.

    :param scans: how many
    :param seconds: how long each takes
    """
    for scan in range(1, scans + 1):
        # The telescope does nothing here that must not be held.
        checkpoint(f"scan {scan} of {scans}")
        time.sleep(seconds)
        print(f"scan {scan} is done")
