"""Particular behaviour of Scheduling Blocks in files."""

from pathlib import Path

import pytest
from tests.support.oda_homes import Home

from ska_oso_oet.oda import (
    SAMPLES_DIR,
    FilesystemOda,
    InvalidIdentifierError,
    InvalidSchedulingBlockError,
    OdaUnavailableError,
    SBInstance,
    StoringNotSupportedError,
)
from ska_oso_oet.oda.documents import ScriptKind


def test_the_sample(tmp_path: Path) -> None:
    definition = FilesystemOda(SAMPLES_DIR).get_sbdefinition("sbd-123")
    scripts = SAMPLES_DIR.parents[1] / "scripts"
    for name in ("allocate", "observe", "deallocate"):
        activity = definition.activity(name)
        assert activity.kind is ScriptKind.FILESYSTEM
        assert (scripts / activity.path.removeprefix("file://")).is_file()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_a_file_that_is_no_json_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sbd" / "sbd-123" / "1.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InvalidSchedulingBlockError, match=f"{path} is not valid JSON"):
        FilesystemOda(tmp_path).get_sbdefinition("sbd-123")


def test_other_files_are_no_versions(filesystem_home: Home, tmp_path: Path) -> None:
    filesystem_home.put("sbd-123", 1, {"sbd_id": "sbd-123"})
    for name in ("2.json~", ".3.json", "notes.json", "0.json", "04.json"):
        (tmp_path / "oda" / "sbd" / "sbd-123" / name).write_text("{}")
    assert filesystem_home.oda.get_sbdefinition("sbd-123").document == {"sbd_id": "sbd-123"}


def test_an_sbinstance_is_stored_once(tmp_path: Path) -> None:
    oda = FilesystemOda(tmp_path)
    instance = SBInstance(sbd_id="sbd-123", sbd_version=4)
    oda.store_sbinstance(instance)
    folder = tmp_path / "sbi" / instance.sbi_id
    assert SBInstance.model_validate_json((folder / "1.json").read_text()) == instance
    with pytest.raises(StoringNotSupportedError, match="an ID of its own"):
        oda.store_sbinstance(instance.model_copy(update={"sbd_version": 5}))
    assert [path.name for path in folder.iterdir()] == ["1.json"]
    assert '"sbd_version": 4' in (folder / "1.json").read_text()


def test_an_sbinstance_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidIdentifierError):
        FilesystemOda(tmp_path / "oda").store_sbinstance(SBInstance(sbi_id="../../x", sbd_id="sbd-123"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "sbi").write_text("in the way")
    with pytest.raises(OdaUnavailableError, match="nothing can be stored"):
        FilesystemOda(tmp_path).store_sbinstance(SBInstance(sbd_id="sbd-123"))
