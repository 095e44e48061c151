"""The space that a journal takes is bounded, and IDs outlive what is dropped."""

import json
import tracemalloc
from pathlib import Path

import pytest
from tests.support.journals import Housekeeping, OpenJournal, document, events, wait_for_first

from ska_oso_oet.journal import EventsNoLongerKeptError, JournalEvent, retention, sqlite


def test_the_last_id_survives_when_all_its_documents_have_ended_and_gone(
    opened: OpenJournal, tmp_path: Path
) -> None:
    journal = opened(tmp_path, document_retention=1)
    journal.append([], [document(41), document(42)])
    journal.close()
    (tmp_path / "journal.marks").unlink()
    assert opened(tmp_path).last_id("procedure") == 42


def test_the_file_stays_bounded_however_many_events_pass(
    opened: OpenJournal, tmp_path: Path, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_MAX_LOG_BYTES", 1_000_000)
    journal = opened(tmp_path, event_retention=500)
    sizes = []
    for first in range(1, 20_001, 500):
        journal.append(events(first, first + 499), [])
        wait_for_first(journal, max(1, first), housekeeping)
        sizes.append(_size(tmp_path))
    assert max(sizes[20:]) < 2 * max(sizes[:20])


def test_the_file_shrinks_when_less_is_to_be_kept(
    opened: OpenJournal, tmp_path: Path, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path)
    journal.append(events(1, 20_000), [])
    journal.close()
    monkeypatch.setattr(sqlite, "_FREE_PAGES_KEPT", 50)
    file = tmp_path / "journal.sqlite"
    before = file.stat().st_size
    journal = opened(tmp_path, event_retention=100)
    wait_for_first(journal, 19_901, housekeeping)
    # It becomes shorter in the course of a round, each step of which begins with tidying up.
    while file.stat().st_size > before / 10:
        housekeeping.wait()
    journal.close()
    assert file.stat().st_size < before / 10


def test_large_events_go_earlier_so_that_the_file_stays_bounded(
    opened: OpenJournal, tmp_path: Path, housekeeping: Housekeeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_LEAST_BYTES", 2_000_000)
    monkeypatch.setattr(retention, "_BYTES_FOR_AN_EVENT", 1000)
    monkeypatch.setattr(sqlite, "_MAX_LOG_BYTES", 1_000_000)
    monkeypatch.setattr(sqlite, "_FREE_PAGES_KEPT", 10)
    journal = opened(tmp_path, event_retention=1000)
    for seq in range(1, 501):
        journal.append([JournalEvent(seq, "user.image", "x" * 50_000)], [])
    while _size(tmp_path) > 4_000_000:
        journal.append(events(journal.last_seq + 1, journal.last_seq + 1000), [])
        housekeeping.wait()
    with pytest.raises(EventsNoLongerKeptError) as refusal:
        journal.read_events(0, 10)
    assert refusal.value.first == journal.first_seq > 100
    # However large they are, the newest are there.
    assert len(journal.read_events(journal.last_seq - 100, 1000)) == 100
    journal.close()
    assert _size(tmp_path) < 4_000_000


def test_large_events_do_not_fill_the_memory(opened: OpenJournal, tmp_path: Path) -> None:
    journal = opened(tmp_path)
    tracemalloc.start()
    try:
        for seq in range(1, 101):
            journal.append([JournalEvent(seq, "user.image", f'{{"msg": "{seq:>1000000}"}}')], [])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 40_000_000
    for after in range(0, 100, 10):
        found = journal.read_events(after, 10)
        assert [int(json.loads(event.text)["msg"]) for event in found] == list(range(after + 1, after + 11))


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.glob("journal.sqlite*"))


@pytest.mark.parametrize("nothing", [{"event_retention": 0}, {"document_retention": 0}])
def test_a_retention_of_nothing_is_refused(
    opened: OpenJournal, tmp_path: Path, nothing: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="at least one"):
        opened(tmp_path, **nothing)
