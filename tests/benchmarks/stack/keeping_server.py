"""A device server that drops none of its procedures, however many there are."""

from oet_devices import executor
from oet_devices.server import main

if __name__ == "__main__":
    executor.KEPT_DOCUMENTS = 1_000_000
    main()
