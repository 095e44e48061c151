"""The services and the process manager, called as the documentation of the OET 5.2.0 describes them."""

import json
import multiprocessing
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing import util
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_projects import GitRepository, git_script
from tests.support.patience import PATIENCE

from ska_oso_oet.activity.application import ActivityCommand, ActivityService
from ska_oso_oet.activity.domain import ActivityState
from ska_oso_oet.mptools import EventMessage, MPQueue
from ska_oso_oet.oda import SBDefinition
from ska_oso_oet.procedure.application import (
    PrepareProcessCommand,
    ScriptExecutionService,
    StartProcessCommand,
    StopProcessCommand,
)
from ska_oso_oet.procedure.domain import (
    FileSystemScript,
    ModuleFactory,
    ProcedureInput,
    ProcedureState,
    ProcessManager,
    ScriptWorker,
)
from ska_oso_oet.procedure.gitmanager import GitError
from ska_oso_oet.procedure.worker.loader import MODULE_NAME

SCRIPT = """
from pubsub import pub

def init(subarray_id):
    global subarray
    subarray = subarray_id

def main(*args, **kwargs):
    pub.sendMessage("user.script.announce", msg=f"observing on {subarray}")
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, in which nothing is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    # Sockets of multiprocessing stay elsewhere: a forkserver outlives this folder.
    util.get_temp_dir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert [path.name for path in folder.iterdir() if path.name.startswith("oet-")] == []


@pytest.fixture
def script(tmp_path: Path) -> FileSystemScript:
    """A script that announces on which subarray it observes."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    return FileSystemScript(path.as_uri())


class Listener:
    """Callback for events of scripts."""

    def __init__(self) -> None:
        self.announced = threading.Event()
        self.messages: list[str] = []

    def __call__(self, message: EventMessage) -> None:
        """Keep what was announced."""
        if message.msg["topic"] == "user.script.announce":
            self.messages.append(message.msg["fields"]["msg"])
            self.announced.set()


@pytest.mark.parametrize("mp_context", [None, multiprocessing.get_context("forkserver")])
def test_a_process_manager_runs_a_script(script: FileSystemScript, mp_context: Any) -> None:
    listener = Listener()
    manager = ProcessManager(mp_context, on_pubsub=[listener])
    try:
        first = manager.create(script, init_args=ProcedureInput(subarray_id=1))
        second = manager.create(script, init_args=ProcedureInput(subarray_id=2))
        manager.run(first, call="main", run_args=ProcedureInput(), force_start=True)
        assert listener.announced.wait(PATIENCE)
        manager.stop(second)
    finally:
        manager.shutdown()
    assert listener.messages == ["observing on 1"]


def test_a_process_manager_needs_no_arguments(temporary: Path) -> None:
    manager = ProcessManager()
    assert len(list(temporary.glob("oet-*"))) == 1
    manager.shutdown()
    manager.shutdown()


def test_a_script_execution_service_prepares_starts_stops_and_describes(script: FileSystemScript) -> None:
    listener = Listener()
    service = ScriptExecutionService(on_pubsub=[listener])
    try:
        prepared = service.prepare(PrepareProcessCommand(script, ProcedureInput(subarray_id=1)))
        started = service.start(StartProcessCommand(prepared.id, "main", ProcedureInput(), force_start=True))
        assert started.id == prepared.id
        assert listener.announced.wait(PATIENCE)
        service.view.ended(prepared.id).result(PATIENCE)
        other = service.prepare(PrepareProcessCommand(script, ProcedureInput(subarray_id=2)))
        (stopped,) = service.stop(StopProcessCommand(other.id, run_abort=False))
        assert stopped.state is ProcedureState.STOPPED
        assert [summary.state for summary in service.summarise()] == [
            ProcedureState.COMPLETE,
            ProcedureState.STOPPED,
        ]
        assert service.summarise([other.id]) == [stopped]
    finally:
        service.shutdown()
        service.shutdown()


def test_a_service_that_cannot_be_constructed_leaves_nothing_behind(temporary: Path) -> None:
    threads = threading.active_count()
    with pytest.raises(TypeError):
        ScriptExecutionService(on_pubsub=1)  # type: ignore[arg-type]
    assert list(temporary.iterdir()) == []
    assert threading.active_count() == threads


def test_an_activity_service_runs_an_activity(
    script: FileSystemScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = {"kind": "filesystem", "path": script.script_uri, "function_args": {"init": {"args": [3]}}}
    document = {"sbd_id": "sbd-1", "telescope": "ska_mid", "activities": {"observe": described}}
    path = tmp_path / "oda" / "sbd" / "sbd-1" / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))
    monkeypatch.setenv("ODA_BACKEND_TYPE", "filesystem")
    monkeypatch.setenv("ODA_DATA_DIR", str(tmp_path / "oda"))
    service = ActivityService()
    try:
        requested = service.prepare_run_activity(ActivityCommand("observe", "sbd-1"), request_id=12)
        ended = service.view.ended(requested.id).result(PATIENCE).value
        assert ended.state is ActivityState.COMPLETE, ended.reason
        (summary,) = service.summarise([requested.id])
        assert summary == ended
        procedure = service.scripts.summary(ended.pid)
        assert service.complete_run_activity(procedure, 12) == summary
        assert json.loads(Path(ended.sb_json).read_text())["sbd_id"] == "sbd-1"
    finally:
        service.close()


def test_a_scheduling_block_is_written_to_a_file() -> None:
    service = ActivityService()
    try:
        sbd = SBDefinition.from_json(json.dumps({"sbd_id": "sbd-1", "activities": {}}), "a test")
        assert json.loads(Path(service.write_sbd_to_file(sbd)).read_text())["sbd_id"] == "sbd-1"
        assert service.summarise() == []
    finally:
        service.close()


@pytest.fixture
def _own_interpreter_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from ska_oso_oet.procedure.worker import loader

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    for name in (MODULE_NAME, "__main__"):
        monkeypatch.setitem(sys.modules, name, sys)
    folders: list[Any] = []
    monkeypatch.setattr(loader, "_checked_out", folders)
    yield
    folders.clear()


@pytest.mark.usefixtures("_own_interpreter_state")
def test_a_script_from_git_is_loaded_with_the_modules_beside_it(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "repository")
    commit = repository.commit({"a/script.py": "import beside\ndef main(): return beside.VALUE\n"})
    repository.commit({"a/script.py": "raise RuntimeError('too new')", "a/beside.py": ""})
    repository.git("checkout", "--quiet", "-b", "work", commit)
    repository.commit({"a/beside.py": "VALUE = 42\n"})
    before = dict(os.environ)
    module = ModuleFactory.get_module(git_script(repository, "a/script.py", branch="work"))
    assert module.main() == 42
    assert dict(os.environ) == before
    with pytest.raises(GitError, match=r"has no file 'gone\.py'"):
        ModuleFactory.get_module(git_script(repository, "gone.py"))


def test_a_script_worker_takes_the_arguments_of_a_worker() -> None:
    startup, shutdown = multiprocessing.Event(), multiprocessing.Event()
    mp = multiprocessing.get_context("forkserver")
    queues = [MPQueue(ctx=mp) for _ in range(2)]
    worker = ScriptWorker("worker", startup, shutdown, *queues, scan_counter=None, environment=None)
    assert worker.name == "worker"
    for queue in queues:
        queue.safe_close()
