"""Settings of script execution."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .source import SIZE_LIMIT

FILES_LIMIT = 10_000_000
"""Bytes of files that are kept of one procedure, unless a setting allows another number."""

OUTPUT_LOGS = 100
"""Of how many procedures the output is kept on disk, unless a setting allows another number."""

READY_LIMIT = 20
"""How many procedures may wait to be started, unless a setting allows another number."""


@dataclass(frozen=True)
class ExecutorSettings:
    """Settings of a ProcessManager.

    :param state_directory: folder for output and working directories of scripts
    :param standby_workers: how many workers to keep warm
    :param stop_grace_period: seconds between asking a script to end and killing it
    :param init_timeout: seconds that loading a script and its ``init`` may take, 0 for any time
    :param watchdog_period: seconds between two PINGs to a worker, 0 for none
    :param environment_limit: how many unused environments of git scripts are kept
    :param environment_timeout: seconds that fetching a repository or building an environment may take,
        0 for any time
    :param packages_limit: bytes of packages that are kept for further environments
    :param script_size_limit: bytes that a script may have
    :param allow_embedded_scripts: whether a request may contain the text of a script
    :param ready_limit: how many procedures may wait to be started, 0 for any number
    :param ready_timeout: seconds that a procedure may be READY without being started, 0 for any time
    :param output_logs: of how many procedures the output is kept on disk; that of live ones is in any case
    :param files_limit: bytes of files that are kept of one procedure
    :param environment: environment variables that scripts get in addition
    :param subarray_id: the only subarray that scripts may use, None for any
    :param preload: modules to import once for all workers
    """

    state_directory: Path
    standby_workers: int = 1
    stop_grace_period: float = 5.0
    init_timeout: float = 0.0
    watchdog_period: float = 5.0
    environment_limit: int = 5
    environment_timeout: float = 600.0
    packages_limit: int = 5 * 2**30
    script_size_limit: int = SIZE_LIMIT
    allow_embedded_scripts: bool = True
    ready_limit: int = READY_LIMIT
    ready_timeout: float = 0.0
    output_logs: int = OUTPUT_LOGS
    files_limit: int = FILES_LIMIT
    environment: Mapping[str, str] = field(default_factory=dict)
    subarray_id: int | None = None
    preload: tuple[str, ...] = ("numpy", "tango")
