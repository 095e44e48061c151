"""Files are written whole or not at all, and folders are removed."""

import os
from pathlib import Path

import pytest

from ska_oso_oet.files import write_file, write_new_file


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of files and folders that are synchronised with the disk."""
    names: list[str] = []
    fsync = os.fsync

    def sync_and_record(descriptor: int) -> None:
        names.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync_and_record)
    return names


def test_a_file_is_replaced_and_survives_a_power_failure(tmp_path: Path, synced: list[str]) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")
    write_file(path, b"after")
    assert path.read_text() == "after"
    assert synced == [".a.json.new", tmp_path.name]
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_draft_that_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".a.json.new").write_text("a long half of a file")
    write_file(tmp_path / "a.json", b"all")
    assert (tmp_path / "a.json").read_text() == "all"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_file(tmp_path / "folder", b"content")
    assert os.listdir(tmp_path) == ["folder"]


def test_a_new_file_does_not_replace_one(tmp_path: Path, synced: list[str]) -> None:
    path = tmp_path / "a.json"
    write_new_file(path, b"first")
    assert synced[1:] == [tmp_path.name]
    with pytest.raises(FileExistsError):
        write_new_file(path, b"second")
    assert path.read_text() == "first"
    assert os.listdir(tmp_path) == ["a.json"]
