"""Entries that a process has appended exist after it was killed at any moment."""

import os
import random
import signal
from pathlib import Path

from tests.support.journals import OpenJournal, numbers
from tests.support.patience import PATIENCE

from ska_oso_oet.journal import Journal, JournalEvent

from .children import text_of
from .support import start_child

_ROUNDS = int(os.environ.get("OET_CRASH_ROUNDS", "4"))
_SEED = os.environ.get("OET_CRASH_SEED") or str(random.SystemRandom().randrange(2**32))


def test_nothing_that_was_appended_is_lost_by_a_kill(opened: OpenJournal, tmp_path: Path) -> None:
    print(f"OET_CRASH_SEED={_SEED}")
    choose = random.Random(_SEED)
    for _ in range(_ROUNDS):
        seq, document_id = _run_and_kill(tmp_path, choose)
        # What the child's retention has left; here, nothing more is to go.
        journal = opened(tmp_path, event_retention=2**31)
        assert journal.last_seq >= seq
        assert journal.last_id("procedure") >= document_id
        everything = _read_all(journal)
        assert numbers(everything) == list(range(journal.first_seq, journal.last_seq + 1))
        assert all(event.text == text_of(event.seq) for event in everything)
        # One transaction held both: neither is there without the other.
        newest = journal.newest_documents("procedure", 1)[0]
        assert (newest.id, newest.text) == (journal.last_id("procedure"), text_of(newest.id))
        assert journal.recovery is None
        journal.close()


def _read_all(journal: Journal) -> list[JournalEvent]:
    """Read all events, one answer after the other: the size of an answer is limited."""
    everything: list[JournalEvent] = []
    while found := journal.read_events(journal.first_seq - 1 + len(everything), journal.last_seq):
        everything += found
    return everything


def _run_and_kill(directory: Path, choose: random.Random) -> tuple[int, int]:
    """Return the last number and ID that a process said it had appended before it was killed."""
    with start_child("append", str(directory), str(choose.random())) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(choose.randrange(1, 300))]
        child.send_signal(signal.SIGKILL)
        lines += [line for line in child.stdout if line.endswith("\n")]
        child.wait(PATIENCE)
    seq, document_id = lines[-1].split()
    return int(seq), int(document_id)
