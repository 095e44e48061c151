"""The device server: ``OETController INSTANCE``."""

import sys

from tango.server import run

from .controller import OETController

SERVER = "OETController"


def main() -> None:
    """Run the device server until it is told to end."""
    run((OETController,), args=[SERVER, *sys.argv[1:]])


if __name__ == "__main__":
    main()
