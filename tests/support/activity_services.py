"""Script execution and activities, as a device has them, without a device."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE, wait_until

from ska_oso_oet.activity.application import ActivityCommand, ActivityService, ActivitySummary
from ska_oso_oet.event.bus import EventBus
from ska_oso_oet.journal import Batch, Journal, MemoryJournal
from ska_oso_oet.model import ActivityState
from ska_oso_oet.oda import FilesystemOda, Oda
from ska_oso_oet.procedure.application import ProcedureSummary, ScriptExecutionService
from ska_oso_oet.procedure.domain import ExecutorSettings
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots

SCRIPTS = {
    "good.py": "def init(*args, **kwargs): pass\ndef main(sb_json, **kwargs): print(open(sb_json).read())\n",
    "fails.py": "def main(**kwargs): raise RuntimeError('the antenna is stuck')\n",
    "fails_in_init.py": "def init(): 1 / 0\ndef main(**kwargs): pass\n",
    "no_sb.py": "def main(): pass\n",
    "waits.py": "import threading\ndef main(**kwargs): threading.Event().wait()\n",
    "picky.py": "def init(subarray_id): pass\ndef main(sb_json): pass\n",
}


class Oet:
    """Both services, with script roots and a home of Scheduling Blocks in a folder.

    :param folder: for everything
    :param journal: where events and documents are kept
    :param history_length: how many ended activities are listed
    :param connect: opens the ODA; by default one of files
    :param record_executions: whether executions are reported to the ODA
    """

    def __init__(
        self,
        folder: Path,
        *,
        journal: Journal | None = None,
        history_length: int = 10,
        connect: Callable[[], Oda] | None = None,
        record_executions: bool = True,
    ) -> None:
        self.roots = folder / "scripts"
        self.oda = folder / "oda"
        self.state = folder / "state"
        for path in (self.roots, self.oda, self.state):
            path.mkdir(exist_ok=True)
        for name, text in SCRIPTS.items():
            (self.roots / name).write_text(text)
        self.bus = EventBus(journal or MemoryJournal())
        self._changed = threading.Condition()
        roots = ScriptRoots.of([self.roots])
        self.scripts = ScriptExecutionService(
            bus=self.bus,
            settings=ExecutorSettings(self.state, stop_grace_period=1.0, preload=()),
            script_roots=roots,
            repositories=Repositories.of(["file:///*"]),
        )
        self.activities = ActivityService(
            self.scripts,
            bus=self.bus,
            state_directory=self.state,
            sb_roots=roots.folders,
            history_length=history_length,
            connect=connect or (lambda: FilesystemOda(self.oda)),
            record_executions=record_executions,
        )
        self.bus.subscribe(self._on_batch)

    def put(self, sbd_id: str, activities: Mapping[str, Any], version: int = 1, **more: Any) -> Path:
        """Store a Scheduling Block in the ODA of files.

        :param activities: by name; a text is short for the script of that name
        """
        described = {
            name: {"kind": "filesystem", "path": f"file://{given}"} if isinstance(given, str) else given
            for name, given in activities.items()
        }
        document = {
            "sbd_id": sbd_id,
            "telescope": "ska_mid",
            "metadata": {"version": version},
            "activities": described,
            **more,
        }
        path = self.oda / "sbd" / sbd_id / f"{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    def run(self, name: str, sbd_id: str | None = "sbd-1", **more: Any) -> int:
        """Request an activity, and return its ID."""
        return self.activities.prepare_run_activity(ActivityCommand(name, sbd_id, **more)).id

    def ended(self, activity_id: int) -> ActivitySummary:
        """Wait until an activity has ended."""
        summary: ActivitySummary = self.activities.view.ended(activity_id).result(PATIENCE).value
        return summary

    def wait_for(self, activity_id: int, state: ActivityState) -> ActivitySummary:
        """Wait until an activity has been in a state."""

        def there() -> bool:
            return state in states(self.activities.summary(activity_id))

        self.wait_until(there, f"activity {activity_id} {state}")
        return self.activities.summary(activity_id)

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until what has been committed fulfils a condition."""
        wait_until(condition, what, self._changed, self._seen)

    def _seen(self) -> list[list[ActivityState]]:
        return [states(document.value) for document in self.activities.view.all()]

    def procedure(self, summary: ActivitySummary) -> ProcedureSummary:
        """Return the procedure of an activity."""
        assert summary.pid is not None
        return self.scripts.summary(summary.pid)

    def events(self, topic: str) -> list[dict[str, Any]]:
        """Return the events whose topic begins with this."""
        self.bus.committed().result(PATIENCE)
        return [json.loads(event.text) for event in self.bus.journal.read_events(0, 10_000, topic)]

    def no_procedure_is_live(self) -> bool:
        """Return whether all procedures have ended."""
        return not any(document.live for document in self.scripts.view.all())

    def written_blocks(self) -> list[Path]:
        """Return the files of Scheduling Blocks that are there for scripts."""
        folder = self.state / "sbs"
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def close(self) -> None:
        """End everything, as a device does."""
        self.activities.close()
        self.scripts.shutdown()
        self.bus.close()

    def _on_batch(self, _: Batch) -> None:
        with self._changed:
            self._changed.notify_all()


@contextmanager
def running_oet(folder: Path, **more: Any) -> Iterator[Oet]:
    """Have both services as long as the context lasts; see `Oet`."""
    oet = Oet(folder, **more)
    try:
        yield oet
    finally:
        oet.close()


def states(summary: ActivitySummary) -> list[ActivityState]:
    """Return the states that an activity has been in."""
    return [state for state, _ in summary.activity_states]
