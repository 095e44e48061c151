"""Back-ups of a controller's state, made while it runs, and restored."""

import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.integration.journal.support import small_disk
from tests.integration.oet_devices.journal.conftest import RegisterController
from tests.support.controller_site import Controller
from tests.support.patience import LONG_PATIENCE

WRITES = """
import pathlib

def main(lines):
    for number in range(lines):
        print("line", number)
    pathlib.Path("picture.txt").write_text("a picture")
    return {"lines": lines}
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "scripts" / "writes.py"
    path.parent.mkdir()
    path.write_text(WRITES)
    return path


def backup(*arguments: object, succeeds: bool = True) -> str:
    """Run the command, and return what it has written."""
    command = [sys.executable, "-m", "oet_devices.backup", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONG_PATIENCE)
    assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def run_to_end(controller: Controller, script: Path, lines: int = 20) -> int:
    """Run the script, and return the ID of its procedure."""
    pid = controller.create(script)
    arguments = {"main": {"args": [lines], "kwargs": {}}}
    controller.run("Start", json.dumps({"pid": pid, "script_args": arguments}))
    return pid


@contextmanager
def busy(controller: Controller, script: Path) -> Iterator[list[int]]:
    """Have the controller run one procedure after the other as long as the context lasts."""
    ended = threading.Event()
    procedures: list[int] = []

    def run() -> None:
        while not ended.is_set():
            procedures.append(run_to_end(controller, script, 200))

    thread = threading.Thread(target=run, name="busy")
    thread.start()
    try:
        yield procedures
    finally:
        ended.set()
        thread.join()


def records(controller: Controller, pid: int) -> object:
    """Return all that the controller keeps of a procedure."""
    files = json.loads(controller.proxy.GetFiles(json.dumps({"pid": pid})))
    return (controller.describe(pid), controller.output(pid), files)


def entry(script: Path) -> str:
    request = {"script": {"script_uri": script.as_uri()}, "script_args": {"main": {"args": [3]}}}
    return json.dumps({"procedure": request, "note": "after midnight"})


def test_a_backup_of_a_busy_controller_is_restored_with_all_that_it_kept(
    register_controller: RegisterController, script: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "oet.tar.gz"
    site = register_controller(ScriptRoots=str(script.parent))
    with site.served() as before:
        first = run_to_end(before, script)
        kept = records(before, first)
        before.proxy.QueueAdd(entry(script))
        with busy(before, script) as procedures:
            said = backup("save", tmp_path / "state", archive)
        assert "oet.tar.gz has the state of" in said
        seen = before.events()
        last_procedure = procedures[-1]
    again = tmp_path / "again"
    assert "Start the server" in backup("restore", archive, again)
    with register_controller(again, ScriptRoots=str(script.parent)).served() as after:
        assert records(after, first) == kept
        # Of every procedure in the back-up there is the output, also of the one that was running.
        for summary in after.listed():
            if summary["state"] == "COMPLETE":
                assert len(after.output(summary["id"])) == (20 if summary["id"] == first else 200)
        [queued] = json.loads(after.proxy.queue)["entries"]
        assert (queued["request"]["note"], queued["state"]) == ("after midnight", "WAITING")
        restored = after.page_of_events()
        assert restored == seen[: len(restored)]
        # What was assigned after the back-up is not assigned again.
        assert run_to_end(after, script) > last_procedure
        [newest] = after.page_of_events(after.proxy.lastEventId - 1)
        assert newest["seq"] > seen[-1]["seq"]
        assert "lacks entries" in after.proxy.Status()


def test_marks_that_are_left_say_where_numbers_go_on(
    register_controller: RegisterController, script: Path, tmp_path: Path
) -> None:
    state, archive = tmp_path / "state", tmp_path / "oet.tar.gz"
    with register_controller(ScriptRoots=str(script.parent)).served() as before:
        run_to_end(before, script)
        backup("save", state, archive)
        last = [run_to_end(before, script) for _ in range(3)][-1]
    lost = tmp_path / "lost"
    state.rename(lost)
    state.mkdir()
    (lost / "journal.marks").rename(state / "journal.marks")
    backup("restore", archive, state)
    with register_controller(ScriptRoots=str(script.parent)).served() as after:
        assert run_to_end(after, script) == last + 1


def test_the_state_of_a_running_controller_is_not_overwritten(
    register_controller: RegisterController, script: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "oet.tar.gz"
    with register_controller(ScriptRoots=str(script.parent)).served() as controller:
        pid = run_to_end(controller, script)
        backup("save", tmp_path / "state", archive)
        assert "in use by" in backup("restore", archive, tmp_path / "state", succeeds=False)
        assert controller.describe(pid)["state"] == "COMPLETE"
    said = backup("restore", archive, tmp_path / "state", succeeds=False)
    assert "is not empty: it has" in said
    assert "journal.sqlite" in said


def damage_journal(archive: Path, folder: Path) -> None:
    """Overwrite a page of the journal in an archive."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    journal = folder / "state" / "journal.sqlite"
    content = bytearray(journal.read_bytes())
    content[4096:8192] = bytes(4096)
    journal.write_bytes(content)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "manifest.json", "manifest.json")
        tar.add(folder / "state", "state")


def test_archives_that_are_not_whole_are_refused_and_change_nothing(
    register_controller: RegisterController, script: Path, tmp_path: Path
) -> None:
    archive, target = tmp_path / "oet.tar.gz", tmp_path / "target"
    with register_controller(ScriptRoots=str(script.parent)).served() as controller:
        run_to_end(controller, script)
    backup("save", tmp_path / "state", archive)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert "is not a complete back-up" in backup("restore", archive, target, succeeds=False)
    archive.write_bytes(b"no archive")
    assert "is not a complete back-up" in backup("restore", archive, target, succeeds=False)
    archive.write_bytes(whole)
    damage_journal(archive, tmp_path / "unpacked")
    assert "copy of the journal is damaged" in backup("restore", archive, target, succeeds=False)
    assert "No such file" in backup("restore", tmp_path / "missing.tar.gz", target, succeeds=False)
    assert {path.name for path in target.iterdir()} <= {"journal.lock"}
    archive.write_bytes(whole)
    backup("restore", archive, target)


def test_a_target_that_is_full_keeps_the_former_backup(
    register_controller: RegisterController, script: Path, tmp_path: Path
) -> None:
    with register_controller(ScriptRoots=str(script.parent)).served() as controller:
        run_to_end(controller, script, 20_000)
        with small_disk(tmp_path / "disk", "64k"):
            archive = tmp_path / "disk" / "oet.tar.gz"
            archive.write_bytes(b"the former one")
            said = backup("save", tmp_path / "state", archive, succeeds=False)
            assert "cannot be written" in said
            assert [path.name for path in archive.parent.iterdir()] == ["oet.tar.gz"]
            assert archive.read_bytes() == b"the former one"
    assert "is not the state directory of a controller" in backup(
        "save", tmp_path, tmp_path / "x.tar.gz", succeeds=False
    )
