"""The captured output of a script: numbered lines, bounded on disk, the last ones at hand."""

import os
import resource
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.patience import PATIENCE

from ska_oso_oet.procedure.execution.kept_output import KeptOutput, prune_logs
from ska_oso_oet.procedure.execution.output import MAX_LINE, TAIL_LINES, OutputLog


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


def test_what_follows_a_carriage_return_replaces_the_line(log: OutputLog, tmp_path: Path) -> None:
    log.feed(b"before\nscan: ")
    for percent in range(0, 101, 10):
        log.feed(b"\rscan: %3d %%" % percent)
        assert log.tail() == ["before", f"scan: {percent:3d} %"]
        assert (tmp_path / "7.log").read_bytes() == b"before\n" + b"scan: %3d %%" % percent
    log.feed(b"\nof a Windows tool\r")
    log.feed(b"\nlong\rshort\n\r\r\n")
    log.feed(b"   \rlast")
    expected = ["before", "scan: 100 %", "of a Windows tool", "short", ""]
    assert log.read(0, 10) == (0, expected)
    log.close()
    assert log.read(0, 10) == (0, [*expected, "last"])


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
    assert log.tail() == ["\\xff\\xfe\0 ok", "progress 2"]


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


def test_full_disk_costs_the_lines_of_that_time_and_they_are_counted(log: OutputLog, tmp_path: Path) -> None:
    log.feed(numbered(0, 10))
    with full_disk():
        log.feed(b"line 10\nline")
        log.feed(b" 11\n" + numbered(12, 20))
    log.feed(numbered(20, 30))
    with full_disk():
        log.feed(numbered(30, 40))
    log.feed(numbered(40, 50) + b"li")
    assert log.tail()[-1] == "li"
    log.feed(b"ne 50\n")
    kept = [*range(10), *range(20, 30), *range(40, 51)]
    assert all_lines(log, 7) == [(number, f"line {number}") for number in kept]
    with full_disk():
        log.feed(numbered(51, 60))
        assert log.read(51, 10) == (51, [])
    log.close()
    assert log.read(51, 10) == (60, [])
    later = OutputLog(tmp_path, 7)
    assert all_lines(later, 4) == [(number, f"line {number}") for number in kept]
    assert later.read(51, 10) == (60, [])


@contextmanager
def full_disk() -> Iterator[None]:
    """Have the system refuse to let files grow, as a full disk does."""
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, former)


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


def test_any_line_is_found_in_a_long_log(log: OutputLog, tmp_path: Path) -> None:
    widths = [1, 9, 300, MAX_LINE]
    lines = [f"{number} ".ljust(widths[number % 4], "x")[:MAX_LINE] for number in range(600)]
    for start in range(0, 600, 7):
        log.feed("".join(f"{line}\n" for line in lines[start : start + 7]).encode())
        # As a client that follows: the index grows with the log.
        assert log.read(start, 100) == (start, lines[start : start + 7])
    log.feed(b"not complete")
    for reader in (log, OutputLog(tmp_path, 7)):
        for after in range(599):
            assert reader.read(after, 2) == (after, lines[after : after + 2])
    later = OutputLog(tmp_path, 7)
    assert later.read(599, 10) == (599, [lines[599], "not complete"])
    assert later.read(10_000, 10) == (601, [])


def test_what_was_read_of_a_log_is_not_read_again(log: OutputLog, tmp_path: Path) -> None:
    count = 200_000
    log.feed(numbered(0, count))
    assert log.read(count - 1, 10) == (count - 1, [f"line {count - 1}"])
    path = tmp_path / "7.log"
    with path.open("r+b") as file:
        file.write(b"\n" * (path.stat().st_size // 2))  # other lines, so that counting finds other numbers
    assert log.read(count - 1, 10) == (count - 1, [f"line {count - 1}"])


def test_a_log_is_remembered_as_long_as_it_is_kept(log: OutputLog, tmp_path: Path) -> None:
    kept = KeptOutput(tmp_path)
    assert kept.log(7, log) is log
    log.close()
    assert kept.log(7, None) is log
    for number in range(100, 120):
        OutputLog(tmp_path, number).open()
        assert kept.log(number, None) is kept.log(number, None)
    other = kept.log(7, None)
    assert other is not None
    assert other is not log
    prune_logs(tmp_path, 0)
    assert kept.log(7, None) is None
