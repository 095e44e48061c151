"""Scheduling Blocks written for scripts."""

import json
from pathlib import Path

import pytest

from ska_oso_oet.activity.application.sb_files import SbFiles
from ska_oso_oet.activity.domain import ActivityRefusedError
from ska_oso_oet.oda import InvalidSchedulingBlockError, SBDefinition


def block(**more: object) -> SBDefinition:
    document = {"sbd_id": "sbd-123", "metadata": {"version": 2}, "unknown": "Ω", **more}
    return SBDefinition.from_document(document, "test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sbs"


def test_a_file_holds_all_of_a_scheduling_block(folder: Path) -> None:
    path = SbFiles(folder).write(block())
    assert path.name.startswith("sbd-123--2--")
    assert json.loads(path.read_text()) == block().document


def test_one_content_is_written_once(folder: Path) -> None:
    files = SbFiles(folder)
    path = files.write(block())
    written = path.stat()
    assert files.write(block()) == path
    assert path.stat().st_ino == written.st_ino
    assert [path] == list(folder.iterdir())


def test_another_content_of_the_same_version_does_not_replace_the_first(folder: Path) -> None:
    files = SbFiles(folder)
    assert files.write(block()) != files.write(block(more=1))
    assert len(list(folder.iterdir())) == 2


def test_what_a_script_has_written_into_a_file_does_not_reach_the_next(folder: Path) -> None:
    files = SbFiles(folder)
    path = files.write(block())
    path.write_text("{}")
    assert json.loads(files.write(block()).read_text()) == block().document


def test_files_that_nobody_needs_are_removed(folder: Path) -> None:
    files = SbFiles(folder)
    needed, other = files.write(block()), files.write(block(more=1))
    (folder / "tmp_left_by_a_crash").touch()
    files.keep_only(lambda: {str(needed)})
    assert list(folder.iterdir()) == [needed]
    assert files.write(block(more=1)) == other


def test_text_that_cannot_be_written_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidSchedulingBlockError, match=r"sbd-123.*not valid Unicode"):
        SbFiles(folder).path_of(block(name="\ud800"))


def test_what_cannot_be_written_leaves_no_half_file(folder: Path) -> None:
    files = SbFiles(folder)
    target = files.path_of(block())
    (target / "in the way").mkdir(parents=True)
    with pytest.raises(ActivityRefusedError, match="directory; check the disk"):
        files.write(block())
    assert list(folder.iterdir()) == [target]
