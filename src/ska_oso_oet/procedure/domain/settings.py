"""What can be set about script execution."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ExecutorSettings:
    """Settings of a ProcessManager.

    :param state_directory: folder for output and working directories of scripts
    :param standby_workers: how many workers to keep warm
    :param stop_grace_period: seconds between asking a script to end and killing it
    :param init_timeout: seconds that loading a script and its ``init`` may take, 0 for any time
    :param watchdog_period: seconds between two questions whether a worker is alive, 0 to ask none
    :param environment_limit: how many environments of git scripts are kept that nobody uses
    :param environment_timeout: seconds that fetching a repository or building an environment may take,
        0 for any time
    :param packages_limit: bytes of packages that are kept for further environments
    :param environment: environment variables that scripts get in addition
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
    environment: Mapping[str, str] = field(default_factory=dict)
    preload: tuple[str, ...] = ("numpy", "tango")
