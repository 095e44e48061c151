"""A queue over script execution and activities, as a device has it, without a device."""

from pathlib import Path
from typing import Any

import orjson
from tests.support.activity_services import Oet

from ska_oso_oet.journal import Journal
from ska_oso_oet.model import QueueAddRequest, ShownEntry
from ska_oso_oet.queue import QueueService, QueueSettings

RECORDS = """\
import pathlib, threading
def main(name="", wait=False, fail=False):
    with open({log!r}, "a") as log:
        log.write(name + "\\n")
    if fail:
        raise RuntimeError("the antenna is stuck")
    if wait:
        threading.Event().wait()
"""


class QueueSite(Oet):
    """Services and a queue. Its script ``records.py`` writes down each run.

    :param folder: for everything
    :param journal: where events and documents are kept
    :param settings: how the queue is run
    """

    def __init__(
        self, folder: Path, *, journal: Journal | None = None, settings: QueueSettings | None = None
    ) -> None:
        super().__init__(folder, journal=journal)
        self.log = folder / "runs"
        (self.roots / "records.py").write_text(RECORDS.format(log=str(self.log)))
        self.queue = QueueService(self.scripts, self.activities, settings)
        # Those who wait are woken when the view of the queue has been written.
        self.bus.unsubscribe(self._on_batch)
        self.bus.subscribe(self._on_batch)

    def add(self, *names: str, position: Any = "back", **more: Any) -> list[int]:
        """Add entries that run ``records.py``, and return their IDs.

        :param names: a name beginning with ``wait`` has a script that waits, with ``fail`` one that fails
        """
        entries = [{**procedure(name), **more} for name in names]
        request = QueueAddRequest.model_validate(
            {"entries": entries, "position": position, "requested_by": "tests"}
        )
        return [entry.id for entry in self.queue.add(request)]

    def shown(self) -> dict[str, Any]:
        """Return the queue as clients see it."""
        shown: dict[str, Any] = orjson.loads(self.queue.view.text())
        return shown

    def states(self) -> dict[int, str]:
        """Return the states of the entries that are shown."""
        return {entry["id"]: entry["state"] for entry in self.shown()["entries"]}

    def entry(self, entry_id: int) -> ShownEntry:
        """Return an entry that is shown."""
        found = next(entry for entry in self.shown()["entries"] if entry["id"] == entry_id)
        return ShownEntry.model_validate(found)

    def wait_for_entry(self, entry_id: int, state: str) -> ShownEntry:
        """Wait until an entry is in a state."""
        self.wait_until(lambda: self.states().get(entry_id) == state, f"entry {entry_id} {state}")
        return self.entry(entry_id)

    def wait_for_queue(self, state: str) -> str | None:
        """Wait until the queue is in a state, and return the reason."""
        self.wait_until(lambda: self.queue.view.condition.state == state, f"queue {state}")
        return self.queue.view.condition.reason

    def runs(self) -> list[str]:
        """Return the names that were recorded, in order."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def _seen(self) -> Any:
        return self.shown()

    def close(self) -> None:
        """End everything, as a device does."""
        self.queue.halt()
        self.activities.close()
        self.scripts.shutdown()
        self.queue.close()
        self.bus.close()


def procedure(name: str) -> dict[str, Any]:
    """Return the request for an entry that records its name."""
    kwargs: dict[str, Any] = {"name": name}
    if name.startswith("wait"):
        kwargs["wait"] = True
    if name.startswith("fail"):
        kwargs["fail"] = True
    return {
        "procedure": {
            "script": {"script_type": "filesystem", "script_uri": "file://records.py"},
            "script_args": {"main": {"kwargs": kwargs}},
        }
    }
