"""A controller in which news takes a moment to get from part to part, so that tests see that moment."""

import sys
import time

from tango.server import run

from oet_devices.controller import OETController
from ska_oso_oet.event.bus import Batch

_MOMENT = 0.003


class SlowController(OETController):
    """Knows of what has been committed a moment later than the service that lists procedures."""

    def on_batch(self, batch: Batch) -> None:
        """Take a moment, then announce what has been committed."""
        time.sleep(_MOMENT)
        super().on_batch(batch)


if __name__ == "__main__":
    run((SlowController,), args=["SlowController", *sys.argv[1:]])
