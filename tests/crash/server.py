"""The device server, on a disk of configurable speed.

On a fast disk an event is committed before a client could receive it, in any order of publication and
written. Only on a slow one a kill finds out that the order is wrong.
"""

import os
import random
import threading

from oet_devices.server import main
from ska_oso_oet.journal.entries import Entries
from ska_oso_oet.journal.sql_storage import SqlStorage

DELAY_VARIABLE = "OET_CRASH_COMMIT_DELAY"
"""Environment variable: seconds that a commit may take in addition."""


def _slow_down(longest: float) -> None:
    write = SqlStorage.write

    def write_slowly(storage: SqlStorage, entries: Entries) -> None:
        threading.Event().wait(random.uniform(0, longest))
        write(storage, entries)

    SqlStorage.write = write_slowly  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    _slow_down(float(os.environ.get(DELAY_VARIABLE, "0")))
    main()
