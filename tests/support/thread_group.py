"""A group of processes that may start no more threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.patience import wait_until

_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def full_thread_group(process: int) -> Iterator[None]:
    """Have the system refuse new threads and children to a process; the test is skipped where it cannot.

    :param process: its ID
    """
    parent = _ROOT / "pids" if (_ROOT / "pids").is_dir() else _ROOT
    group = parent / f"oet-test-threads-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made: {error}")
    members = group / "cgroup.procs"
    try:
        members.write_text(str(process))
        (group / "pids.max").write_text((group / "pids.current").read_text())
        yield
    except OSError as error:
        pytest.skip(f"the control group cannot limit threads: {error}")
    finally:
        if (group / "pids.max").exists():
            (group / "pids.max").write_text("max")
        if members.read_text():
            (parent / "cgroup.procs").write_text(str(process))
        wait_until(lambda: not members.read_text(), "the group is empty")
        group.rmdir()
