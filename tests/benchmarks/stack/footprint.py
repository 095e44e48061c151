"""Resources of processes: processor time and memory."""

import time
from pathlib import Path

_CPUCLOCK_SCHED = 2


def processor_time(pid: int) -> float:
    """Return for how many seconds a process has run, all of its threads together, those that ended included.

    The scheduler counts it in nanoseconds; /proc/PID/stat rounds it to hundredths of a second,
    which is too coarse for one that does nothing. Source: clock_getcpuclockid(3), whose clock numbers the
    kernel makes of the process ID like this (linux/posix-timers.h).

    :param pid: the process
    :raises OSError: if there is no such process
    """
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9


def proportional_set_size(pid: int) -> float:
    """Return how much memory a process takes, in MiB; of a page that several share, each has its part.

    Source: proc_pid_smaps(5), /proc/PID/smaps_rollup.

    :param pid: the process
    :raises OSError: if there is no such process
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise OSError(f"the kernel does not report the proportional set size of process {pid}")
