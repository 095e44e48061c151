"""One process of the stack: what it may do without harm to the others."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from tests.support.measurement import UNMEASURED

from oet_devices.tools.stack_process import Part, StackError


def part(log: Path, program: str) -> Part:
    # Without the measurement of coverage, which complains into the log where it is ended while it stores.
    return Part("Tester", [sys.executable, "-c", program], {"COLOUR": "red", **UNMEASURED}, log)


def start_and_stop(tester: Part, ready: str) -> re.Match[str]:
    async def run() -> re.Match[str]:
        try:
            return await tester.start(ready)
        finally:
            await tester.stop(5.0)

    return asyncio.run(run())


def test_it_is_ready_when_it_says_so_and_its_output_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tester = part(log, "import os; print('first'); print(os.environ['COLOUR']); print('port 7')")
    assert start_and_stop(tester, r"port (\d+)")[1] == "7"
    assert log.read_text().splitlines() == ["first", "red", "port 7"]


def test_a_line_of_any_length_does_no_harm(tmp_path: Path) -> None:
    program = "print('x' * 1_000_000); print('ready')"
    assert start_and_stop(part(tmp_path / "log", program), "^ready$")


def test_its_log_is_bounded_and_has_the_newest_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Part, "MAX_LOG", 1000)
    program = "for number in range(1000): print('line', number)\nprint('ready')"
    assert start_and_stop(part(tmp_path / "log", program), "^ready$")
    files = [tmp_path / name for name in ("log.4", "log.3", "log.2", "log.1", "log")]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert max(file.stat().st_size for file in files) <= 1000
    lines = [line for file in files for line in file.read_text().splitlines()]
    first = int(lines[0].split()[1])
    assert lines == [*(f"line {number}" for number in range(first, 1000)), "ready"]


def test_one_that_ends_at_once_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(StackError) as raised:
        start_and_stop(part(log, "print('no port'); raise SystemExit(3)"), "ready")
    assert str(raised.value) == f"Tester ended (status 3; no port; see {log}) before it was ready"


def test_one_that_is_not_ready_in_time_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Part, "START_TIMEOUT", 0.1)
    with pytest.raises(StackError, match=r"Tester is not ready after 0\.1 s: see "):
        start_and_stop(part(tmp_path / "log", "import signal; signal.pause()"), "ready")


def test_one_that_does_not_heed_sigterm_is_killed(tmp_path: Path) -> None:
    program = "import signal; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); signal.pause()"
    tester = part(tmp_path / "log", program)

    async def run() -> str:
        await tester.start("ready")
        await tester.stop(0.1)
        return await tester.ended()

    assert "status -9" in asyncio.run(run())
