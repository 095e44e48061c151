"""The captured output of a script: numbered lines, bounded on disk, the last ones at hand."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ska_oso_oet.procedure.domain.output import MAX_LINE, TAIL_LINES, OutputLog, prune_logs

PATIENCE = 10.0


@pytest.fixture
def log(tmp_path: Path) -> Iterator[OutputLog]:
    """A log that is being written."""
    made = OutputLog(tmp_path, 7)
    made.open()
    yield made
    made.close()


def numbered(first: int, last: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(first, last))


def all_lines(log: OutputLog, limit: int = 10) -> list[tuple[int, str]]:
    """Read as a client does: on and on, from where the last answer ended."""
    found: list[tuple[int, str]] = []
    after = 0
    while True:
        first, lines = log.read(after, limit)
        found += enumerate(lines, first)
        if not lines:
            return found
        after = first + len(lines)


def test_lines_have_numbers(log: OutputLog) -> None:
    log.feed(numbered(0, 25))
    assert log.read(0, 3) == (0, ["line 0", "line 1", "line 2"])
    assert log.read(23, 10) == (23, ["line 23", "line 24"])
    assert all_lines(log) == [(number, f"line {number}") for number in range(25)]


def test_reading_beyond_the_end_finds_the_end(log: OutputLog) -> None:
    assert log.read(0, 10) == (0, [])
    assert log.read(5, 10) == (0, [])
    log.feed(numbered(0, 3))
    assert log.read(3, 10) == (3, [])
    assert log.read(99, 10) == (3, [])


def test_lines_may_come_in_any_parts(log: OutputLog) -> None:
    for byte in "first Größe 🚀\n\nthird".encode():
        log.feed(bytes([byte]))
    assert log.read(0, 10) == (0, ["first Größe 🚀", ""])
    assert log.tail() == ["first Größe 🚀", "", "third"]
    log.close()
    assert log.read(0, 10) == (0, ["first Größe 🚀", "", "third"])
    assert log.tail() == ["first Größe 🚀", "", "third"]


def test_the_last_words_of_a_script_survive_a_crash_of_the_server(log: OutputLog, tmp_path: Path) -> None:
    log.feed(b"dish 1 is there\nmoving dish 2 ")
    log.feed(b"... ")
    after_a_crash = OutputLog(tmp_path, 7)
    assert after_a_crash.read(0, 10) == (0, ["dish 1 is there", "moving dish 2 ... "])
    # Who follows the output meanwhile gets each line once, when it is complete.
    assert log.read(0, 10) == (0, ["dish 1 is there"])
    log.feed(b"done\nmoving dish 3")
    assert log.read(1, 10) == (1, ["moving dish 2 ... done"])
    log.close()
    assert log.read(2, 10) == (2, ["moving dish 3"])


def test_what_is_no_text_is_shown_all_the_same(log: OutputLog) -> None:
    log.feed(b"\xff\xfe\0 ok\r\nprogress 1\rprogress 2\n")
    assert log.tail() == ["\\xff\\xfe\0 ok", "progress 1\rprogress 2"]


@pytest.mark.parametrize("parts", [1, 7])
def test_a_long_line_is_broken_in_the_same_places_however_it_comes(log: OutputLog, parts: int) -> None:
    data = b"x" * (2 * MAX_LINE + 100) + b"\nnext\n"
    size = len(data) // parts
    for start in range(0, len(data), size):
        log.feed(data[start : start + size])
    assert [len(line) for line in log.tail()] == [MAX_LINE, MAX_LINE, 100, 4]
    assert log.read(3, 1) == (3, ["next"])


def test_the_tail_holds_the_last_lines(log: OutputLog) -> None:
    log.feed(numbered(0, TAIL_LINES + 50))
    assert log.tail() == [f"line {number}" for number in range(50, TAIL_LINES + 50)]


def test_a_log_of_an_earlier_server_can_be_read(log: OutputLog, tmp_path: Path) -> None:
    log.feed(numbered(0, 1000) + b"unfinished")
    log.close()
    later = OutputLog(tmp_path, 7)
    assert later.tail()[-2:] == ["line 999", "unfinished"]
    assert later.read(998, 10) == (998, ["line 998", "line 999", "unfinished"])


def test_a_log_that_never_was_is_empty(tmp_path: Path) -> None:
    log = OutputLog(tmp_path / "nowhere", 1)
    assert log.tail() == []
    assert log.read(0, 10) == (0, [])


def test_a_new_procedure_does_not_show_the_output_of_an_old_one(log: OutputLog, tmp_path: Path) -> None:
    log.feed(b"old\n")
    log.close()
    new = OutputLog(tmp_path, 7)
    new.open()
    new.feed(b"new\n")
    new.close()
    assert new.read(0, 10) == (0, ["new"])


@pytest.fixture
def small(tmp_path: Path) -> Iterator[OutputLog]:
    """A log of about ten lines of nine bytes each."""
    made = OutputLog(tmp_path, 7, max_bytes=2 * 5 * 9)
    made.open()
    yield made
    made.close()


def test_lines_that_come_in_parts_stay_whole_when_the_oldest_are_dropped(small: OutputLog) -> None:
    for number in range(100):
        small.feed(b"line ")
        small.feed(b"%03d\n" % number)
    found = all_lines(small)
    assert found == [(number, f"line {number:03}") for number in range(found[0][0], 100)]
    assert len(found) >= 5


def test_the_oldest_lines_are_dropped_and_the_numbers_stay(small: OutputLog, tmp_path: Path) -> None:
    for number in range(100):
        small.feed(b"line %03d\n" % number)
    found = all_lines(small, limit=3)
    assert found == [(number, f"line {number:03}") for number in range(found[0][0], 100)]
    assert 5 <= len(found) <= 10
    assert small.read(2, 1) == (found[0][0], [f"line {found[0][0]:03}"])
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2 * 5 * 9
    assert len(list(tmp_path.iterdir())) == 2


def test_numbers_of_a_rotated_log_hold_for_a_later_reader(small: OutputLog, tmp_path: Path) -> None:
    for number in range(33):
        small.feed(b"line %03d\n" % number)
    small.close()
    assert all_lines(OutputLog(tmp_path, 7)) == all_lines(small)


def test_the_logs_of_two_procedures_do_not_mix(small: OutputLog, tmp_path: Path) -> None:
    other = OutputLog(tmp_path, 77, max_bytes=2 * 5 * 9)
    other.open()
    for number in range(33):
        small.feed(b"line %03d\n" % number)
        other.feed(b"othr %03d\n" % number)
    other.close()
    assert {line[:4] for _, line in all_lines(small)} == {"line"}
    assert {line[:4] for _, line in all_lines(other)} == {"othr"}


def test_a_reader_sees_no_half_line_and_no_gap_while_the_log_is_written(small: OutputLog) -> None:
    done = threading.Event()

    def write() -> None:
        for number in range(3000):
            small.feed(b"line %03d\n" % (number % 1000))
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while not done.is_set():
            first, lines = small.read(0, 100)
            assert lines == [f"line {number % 1000:03}" for number in range(first, first + len(lines))]
    finally:
        writer.join(PATIENCE)


def test_a_disk_that_fails_costs_the_file_and_not_the_last_lines(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    log = OutputLog(blocked, 7)
    log.open()
    log.feed(b"still here\n")
    assert log.tail() == ["[output is not written to disk: File exists]", "still here"]
    assert log.read(0, 10) == (0, [])
    log.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    (tmp_path / "7.log").symlink_to("/dev/full")
    log = OutputLog(tmp_path, 7)
    log.open()
    log.feed(b"still here\n")
    assert log.tail() == ["still here", "[output is not written to disk: No space left on device]"]
    log.close()


def _logs(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("x\n")


def test_of_the_newest_procedures_the_output_is_kept(tmp_path: Path) -> None:
    _logs(tmp_path, "1.log", "2.log", "2.log.500", "9.log", "10.log", "10.log.7", "notes.txt", "x1.log")
    prune_logs(tmp_path, keep=2)
    assert sorted(os.listdir(tmp_path)) == ["10.log", "10.log.7", "9.log", "notes.txt", "x1.log"]


def test_nothing_is_kept_if_nothing_is_to_be(tmp_path: Path) -> None:
    _logs(tmp_path, "1.log", "2.log")
    prune_logs(tmp_path, keep=0)
    assert os.listdir(tmp_path) == []


def test_a_log_that_cannot_be_removed_keeps_nobody_from_working(tmp_path: Path) -> None:
    (tmp_path / "1.log").mkdir()
    _logs(tmp_path, "2.log", "3.log")
    prune_logs(tmp_path, keep=1)
    assert sorted(os.listdir(tmp_path)) == ["1.log", "3.log"]
    prune_logs(tmp_path / "nowhere", keep=1)


def test_who_writes_does_not_wait_for_a_reader(log: OutputLog, tmp_path: Path) -> None:
    """The message loop writes: it must not stand still because somebody reads a long log, or a slow disk."""
    log.feed(b"first\n")
    slow = tmp_path / "7.log.0"
    os.mkfifo(slow)
    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(log.read, 0, 10)
        # Both ends of a named pipe are opened at the same time; then the reader waits for what is written.
        disk = os.open(slow, os.O_WRONLY)
        try:
            threads.submit(log.feed, b"second\n").result(PATIENCE)
        finally:
            os.close(disk)
        assert reading.result(PATIENCE) == (0, ["first"])
    assert log.tail() == ["first", "second"]


def test_a_file_that_cannot_be_closed_costs_nothing_else(log: OutputLog, tmp_path: Path) -> None:
    log.feed(b"line\n")
    [written] = [fd for fd in os.listdir("/proc/self/fd") if _file_of(fd) == tmp_path / "7.log"]
    os.close(int(written))
    log.close()
    assert log.tail()[0] == "line"


def _file_of(descriptor: str) -> Path | None:
    link = Path("/proc/self/fd") / descriptor
    return link.readlink() if link.is_symlink() else None
