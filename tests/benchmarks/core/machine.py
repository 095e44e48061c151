"""Description of the machine and the software of a measurement."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel

_PACKAGES = ("ska-oso-oet-tango", "pytango", "fastapi", "uvicorn", "pydantic", "orjson", "sqlalchemy")


class Machine(BaseModel):
    """The machine, and the versions of what ran on it."""

    date: str
    processor: str
    cores: int
    memory_gib: float
    load: float
    """Processes that wanted to run in the minute before, on average: beyond the cores, times get longer."""
    system: str
    python: str
    packages: dict[str, str]


def this_machine() -> Machine:
    """Describe the machine that this process runs on."""
    pages, page_size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(pages * page_size / 2**30, 1),
        load=round(os.getloadavg()[0], 2),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: found for name in _PACKAGES if (found := _version(name))},
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
