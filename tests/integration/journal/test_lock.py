"""One server per state directory, and per schema of PostgreSQL."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.support.journals import OpenJournal, events
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import JournalLockedError, postgres

from .support import PostgresServer, start_child


def test_the_refusal_of_a_second_server_names_the_first(opened: OpenJournal, tmp_path: Path) -> None:
    with start_child("hold", str(tmp_path)) as first:
        assert first.stdout is not None
        pid = first.stdout.readline().strip()
        with pytest.raises(JournalLockedError) as refusal:
            opened(tmp_path)
        sentence = str(refusal.value)
        assert f"process {pid} on host {os.uname().nodename}" in sentence
        assert str(tmp_path) in sentence
        first.send_signal(signal.SIGKILL)
        first.wait(PATIENCE)
    # The lock is gone with the process, however it ended.
    assert opened(tmp_path).fault is None


def test_a_second_server_that_comes_by_a_bind_mount_is_refused(opened: OpenJournal, tmp_path: Path) -> None:
    state, mounted = tmp_path / "state", tmp_path / "mounted"
    state.mkdir()
    mounted.mkdir()
    in_namespace = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    mount = f"mount --bind {state} {mounted}"
    if subprocess.run([*in_namespace, mount], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets nobody make a namespace for mounts")
    opened(state)
    # The lock file of its own, on another device, lets nobody in either.
    other_file = f"touch {tmp_path}/lock && mount --bind {tmp_path}/lock {mounted}/journal.lock"
    hold = f'exec "{sys.executable}" -m tests.integration.journal.children hold {mounted}'
    for steps in ([mount, hold], [mount, other_file, hold]):
        second = subprocess.run(
            [*in_namespace, " && ".join(steps)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert "JournalLockedError" in second.stderr
        assert f"{mounted} is in use by" in second.stderr


def test_a_lock_file_on_another_file_system_is_locked(opened: OpenJournal, tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:
        (tmp_path / "journal.lock").symlink_to(Path(elsewhere) / "lock")
        journal = opened(tmp_path)
        with pytest.raises(JournalLockedError, match=f"process {os.getpid()} on host"):
            opened(tmp_path)
        journal.append(events(1, 1), [])
        assert journal.recovery is None
        journal.close()


def test_a_child_that_outlives_the_server_does_not_hold_the_lock(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as executed:
        journal.close()
        opened(tmp_path).close()
        assert executed.poll() is None


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_hold_the_lock(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    forking = multiprocessing.get_context("fork")
    here, there = forking.Pipe()
    child = forking.Process(target=_answer_and_wait, args=(here, there))
    child.start()
    there.close()
    assert here.recv() == "forked"
    journal.close()
    opened(tmp_path).close()
    assert child.is_alive()
    # It may not end by itself: locks may be held by threads that a forked process does not have.
    child.kill()
    child.join(PATIENCE)


def _answer_and_wait(of_parent, connection) -> None:  # type: ignore[no-untyped-def]
    of_parent.close()
    connection.send("forked")
    connection.poll(PATIENCE)


def test_two_servers_with_one_schema_of_postgresql(
    opened: OpenJournal,
    tmp_path: Path,
    postgres_server: PostgresServer,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres, "_LOCK_TIMEOUT_MS", 100)
    first = opened(tmp_path / "one", postgres_server.url, namespace=namespace)
    with pytest.raises(JournalLockedError, match=rf"process {os.getpid()} on host"):
        opened(tmp_path / "two", postgres_server.url, namespace=namespace)
    other = opened(tmp_path / "two", postgres_server.url, namespace=f"{namespace}_b")
    first.close()
    other.close()
    assert opened(tmp_path / "two", postgres_server.url, namespace=namespace).fault is None
