"""Programs that tests of the journal run as processes of their own."""

import os
import queue
import random
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.patience import PATIENCE

from ska_oso_oet.journal import Document, Journal, JournalEvent, open_journal


def append_until_killed(directory: Path, seed: str) -> None:
    """Append without end, and print what has been appended: last number, and last ID."""
    choose = random.Random(seed)
    journal = open_journal(directory)
    last_seq, last_id = journal.last_seq, journal.last_id("procedure")
    while True:
        count = choose.choice([1, 1, 1, 7, 200])
        batch = [
            JournalEvent(last_seq + n, "user.script.announce", text_of(last_seq + n))
            for n in range(1, count + 1)
        ]
        last_seq += count
        last_id += 1
        journal.append(batch, [Document("procedure", last_id, text_of(last_id), False)])
        print(last_seq, last_id, flush=True)


def text_of(number: int) -> str:
    """Return the text that goes with a number."""
    return f'{{"n":{number},"pad":"{"p" * (number % 997)}"}}'


def fill_up(directory: Path) -> None:
    """Append beyond the size that files may have, then let them grow again."""
    faults: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    journal = open_journal(directory, on_fault=faults.put)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    while journal.fault is None:
        _append_one(journal)
    print(faults.get(timeout=PATIENCE), flush=True)
    for _ in range(100):
        _append_one(journal)
    newest = journal.read_events(journal.last_seq - 100, 100)
    assert [event.seq for event in newest] == list(range(journal.last_seq - 99, journal.last_seq + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    while faults.get(timeout=PATIENCE) is not None:
        pass
    print(journal.last_seq, flush=True)
    # As kill -9 would do: what has been written is to be there without an orderly end.
    os._exit(0)


def _append_one(journal: Journal) -> None:
    seq = journal.last_seq + 1
    journal.append([JournalEvent(seq, "a.b", text_of(seq))], [])


def hold(directory: Path) -> None:
    """Hold a journal until standard input ends."""
    journal = open_journal(directory)
    print(os.getpid(), flush=True)
    sys.stdin.read()
    journal.close()


if __name__ == "__main__":
    programs: dict[str, Callable[..., None]] = {
        "append": append_until_killed,
        "fill": fill_up,
        "hold": hold,
    }
    programs[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
