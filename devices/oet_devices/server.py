"""The device server: ``OETController INSTANCE``."""

import os
import sys

from tango.server import run

from .controller import OETController

SERVER = "OETController"

_EVENTS_HELD = "10000"
"""How many events are held for a subscriber that is slower than a script publishes. Tango's own default,
1000, is used up within a tenth of a second; beyond this, subscribers see a gap, and have GetEvents."""


def main() -> None:
    """Run the device server until it is told to end."""
    os.environ.setdefault("TANGO_DS_EVENT_BUFFER_HWM", _EVENTS_HELD)
    run((OETController,), args=[SERVER, *sys.argv[1:]])


if __name__ == "__main__":
    main()
