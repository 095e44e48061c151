"""From the properties of a controller to what its script execution follows from, or to what is wrong."""

import hashlib
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ska_oso_oet.event.journal import JOURNAL_URL_VARIABLE
from ska_oso_oet.features import RECORD_EXECUTIONS, features_of_this_site
from ska_oso_oet.procedure.application import PrepareProcessCommand
from ska_oso_oet.procedure.application.admission import Admission
from ska_oso_oet.procedure.application.service import ABORT_SCRIPT, NO_REPOSITORIES
from ska_oso_oet.procedure.domain import ExecutorSettings, FileSystemScript, ProcedureInput
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots
from ska_oso_oet.tango import SCAN_ID_FILE_VARIABLE

from .executor import ExecutorConfig

SHIPPED_SCRIPTS = Path(ABORT_SCRIPT.path).parent

MAX_STANDBY_WORKERS = 64

_NOT_PLAIN = re.compile("[^a-z0-9_]")
_LONGEST_SCHEMA_NAME = 62
"""PostgreSQL keeps 63 characters of a name; one may have to be put in front."""

_NOT_NEGATIVE = (
    "HistoryLength",
    "StandbyWorkers",
    "StopGracePeriod",
    "InitTimeout",
    "EnvironmentLimit",
    "EnvironmentTimeout",
)


def executor_config(device: Any) -> ExecutorConfig:
    """Return what the properties of a device say.

    :param device: an `ExecutorDevice`
    :raises ValueError: naming the property or the feature flag, if one cannot be used
    """
    _require_numbers(device)
    with _naming("ScriptRoots"):
        script_roots = ScriptRoots.of(device.ScriptRoots or [SHIPPED_SCRIPTS])
    with _naming("GitRepositories"):
        git_repositories = Repositories.of(device.GitRepositories)
    with _naming("AbortScript"):
        abort_script = _abort_script(device.AbortScript)
    name: str = device.get_name()
    return ExecutorConfig(
        script_roots=script_roots,
        git_repositories=git_repositories,
        abort_script=abort_script,
        history_length=device.HistoryLength,
        oda_time_limit=device.OdaTimeout,
        record_executions=features_of_this_site().is_enabled(RECORD_EXECUTIONS, default=True),
        event_retention=device.EventRetention,
        journal_url=os.environ.get(JOURNAL_URL_VARIABLE),
        journal_namespace=schema_name(name),
        settings=_settings(device, _state_directory(device.StateDirectory, name)),
    )


def schema_name(device: str) -> str:
    """Return the name of a device in a form that can name a schema of PostgreSQL."""
    name = _NOT_PLAIN.sub("_", device.lower())
    if len(name) > _LONGEST_SCHEMA_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        name = f"{name[: _LONGEST_SCHEMA_NAME - 13]}_{digest}"
    return f"_{name}" if name[0].isdigit() else name


@contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"property {name}: {error}") from error


def _require_numbers(device: Any) -> None:
    for name in _NOT_NEGATIVE:
        value = getattr(device, name)
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"property {name} is {value}: give a number that is not negative")
    if device.StandbyWorkers > MAX_STANDBY_WORKERS:
        raise ValueError(
            f"property StandbyWorkers is {device.StandbyWorkers}: {MAX_STANDBY_WORKERS} are allowed"
        )
    if device.EventRetention < 1:
        raise ValueError(f"property EventRetention is {device.EventRetention}: give at least 1")
    if not (device.OdaTimeout > 0 and math.isfinite(device.OdaTimeout)):
        raise ValueError(f"property OdaTimeout is {device.OdaTimeout}: give some seconds")


def _abort_script(uri: str) -> FileSystemScript:
    """Return the abort script, once it is known that it could be run: it is needed when there is no time.

    :raises ValueError: if it could not
    """
    if not uri:
        return ABORT_SCRIPT
    script = FileSystemScript(uri)
    Admission(None, NO_REPOSITORIES).admit(PrepareProcessCommand(script, ProcedureInput()), trusted=True)
    return script


def _state_directory(given: str, device: str) -> Path:
    if given:
        if not Path(given).is_absolute():
            # It would depend on where the server was started from.
            raise ValueError(f"property StateDirectory is {given!r}: give an absolute path")
        return Path(given)
    default = Path.home() / ".local" / "state" / "ska-oso-oet"
    return Path(os.environ.get("OET_STATE_DIRECTORY", default)) / device.replace("/", "_")


def _settings(device: Any, state_directory: Path) -> ExecutorSettings:
    return ExecutorSettings(
        state_directory=state_directory,
        standby_workers=device.StandbyWorkers,
        stop_grace_period=device.StopGracePeriod,
        init_timeout=device.InitTimeout,
        environment={SCAN_ID_FILE_VARIABLE: str(state_directory / "scan_id")},
        environment_limit=device.EnvironmentLimit,
        environment_timeout=device.EnvironmentTimeout,
    )
