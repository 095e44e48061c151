"""Scan IDs: unique for all users, or a refusal that says what to do."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import ska_oso_oet.tango
from ska_oso_oet.tango import (
    LocalScanIdGenerator,
    RemoteScanIdGenerator,
    ScanIdError,
    scan_id_generator,
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OET_SCAN_ID_FILE", "OET_SCAN_ID_USER", "SKUID_URL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def scan_id_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scan-id"
    monkeypatch.setenv("OET_SCAN_ID_FILE", str(path))
    return path


def test_counts_from_the_start() -> None:
    generator = LocalScanIdGenerator(start=5)
    assert [generator.next(), generator.next()] == [5, 6]
    assert generator.value == 6


def test_the_current_id_is_one_that_nobody_else_has(scan_id_file: Path) -> None:
    first, second = LocalScanIdGenerator(), LocalScanIdGenerator()
    assert [first.value, first.value, second.value] == [1, 1, 2]


def test_unique_across_threads(scan_id_file: Path) -> None:
    shared = LocalScanIdGenerator()
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda own: (own or shared).next(), [None, LocalScanIdGenerator()] * 50))
    assert sorted(numbers) == list(range(1, 101))


def test_the_file_outranks_a_smaller_start(scan_id_file: Path) -> None:
    scan_id_file.write_text("41\n")
    assert LocalScanIdGenerator(start=1).next() == 42
    assert LocalScanIdGenerator(start=100).next() == 100
    assert LocalScanIdGenerator(start=1).next() == 101


def test_a_damaged_file_is_refused_rather_than_counted_from_one(scan_id_file: Path) -> None:
    scan_id_file.write_text("not a number")
    with pytest.raises(ScanIdError, match="greater than any scan ID used so far"):
        LocalScanIdGenerator().next()
    assert scan_id_file.read_text() == "not a number"


def test_a_file_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OET_SCAN_ID_FILE", str(tmp_path / "missing" / "scan-id"))
    with pytest.raises(ScanIdError, match="in a folder that exists"):
        LocalScanIdGenerator().next()


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(scan_id_generator(), LocalScanIdGenerator)
    monkeypatch.setenv("SKUID_URL", "skuid:9870")
    assert isinstance(scan_id_generator(), RemoteScanIdGenerator)


def test_a_misspelt_name_is_missed() -> None:
    with pytest.raises(AttributeError, match="SCAN_ID_GENRATOR"):
        _ = ska_oso_oet.tango.SCAN_ID_GENRATOR
