"""Scheduling Blocks by URI."""

from pathlib import Path

import pytest

from ska_oso_oet.oda import (
    FilesystemOda,
    InvalidIdentifierError,
    InvalidSchedulingBlockError,
    OdaNotConfiguredError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
    load_sbdefinition,
    open_oda,
)
from ska_oso_oet.oda.documents import MAX_SIZE


@pytest.fixture
def oda(tmp_path: Path) -> FilesystemOda:
    folder = tmp_path / "oda" / "sbd" / "sbd-123"
    folder.mkdir(parents=True)
    for version in (1, 2):
        (folder / f"{version}.json").write_text(
            f'{{"sbd_id": "sbd-123", "metadata": {{"version": {version}}}}}'
        )
    return FilesystemOda(tmp_path / "oda")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "blocks"
    root.mkdir()
    (root / "my block.json").write_text('{"sbd_id": "sbd-9"}')
    return root


@pytest.mark.parametrize(
    ("uri", "version"), [("oda://sbd-123", 2), ("oda://sbd-123/", 2), ("oda://sbd-123/1", 1)]
)
def test_of_the_oda(oda: FilesystemOda, uri: str, version: int) -> None:
    assert load_sbdefinition(uri, oda, []).version == version


def test_of_the_oda_in_a_version_that_is_not_there(oda: FilesystemOda) -> None:
    with pytest.raises(UnknownVersionError):
        load_sbdefinition("oda://sbd-123/3", oda, [])


def test_of_a_file(oda: FilesystemOda, root: Path) -> None:
    assert load_sbdefinition(f"file://{root}/my%20block.json", oda, [root]).sbd_id == "sbd-9"


@pytest.mark.parametrize(
    "uri",
    [
        "sbd-123",
        "http://host/sbd.json",
        "oda://",
        "oda://../sbd-123",
        "oda://sbd-123/latest",
        "oda://sbd-123/1/2",
        "oda://sbd-123/²",
        "oda://sbd-123/-1",
        "oda://sbd-123/0",
        "file://my block.json",
        "file:///blocks/block.yaml",
        "file:///blocks/%00.json",
    ],
)
def test_a_uri_that_is_none(oda: FilesystemOda, root: Path, uri: str) -> None:
    with pytest.raises(InvalidIdentifierError, match="malformed"):
        load_sbdefinition(uri, oda, [root])


def test_a_file_outside_the_roots(oda: FilesystemOda, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"sbd_id": "sbd-8"}')
    (root / "link.json").symlink_to(outside)
    missing = tmp_path / "missing.json"
    for path in (outside, root / "link.json", root / ".." / "outside.json", missing):
        with pytest.raises(InvalidIdentifierError, match=f"may come from; use one of: {root}"):
            load_sbdefinition(f"file://{path}", oda, [root])


def test_a_file_that_cannot_be_used(oda: FilesystemOda, root: Path) -> None:
    with pytest.raises(UnknownSchedulingBlockError, match=r"gone\.json cannot be read"):
        load_sbdefinition(f"file://{root}/gone.json", oda, [root])
    (root / "folder.json").mkdir()
    with pytest.raises(InvalidSchedulingBlockError, match=r"folder\.json is not a file"):
        load_sbdefinition(f"file://{root}/folder.json", oda, [root])
    with (root / "large.json").open("wb") as large:
        large.truncate(MAX_SIZE + 1)
    with pytest.raises(InvalidSchedulingBlockError, match="use a smaller file"):
        load_sbdefinition(f"file://{root}/large.json", oda, [root])
    (root / "secret.json").write_text('{"password": "xyzzy"}')
    with pytest.raises(InvalidSchedulingBlockError) as caught:
        load_sbdefinition(f"file://{root}/secret.json", oda, [root])
    assert "xyzzy" not in str(caught.value)


def test_an_unknown_backend() -> None:
    with pytest.raises(OdaNotConfiguredError, match="'mysql'; set it to one of: filesystem, rest, postgres"):
        open_oda({"ODA_BACKEND_TYPE": "mysql"})


def test_files_are_the_default() -> None:
    assert isinstance(open_oda({}), FilesystemOda)
