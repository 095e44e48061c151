"""Conversion of the properties of a controller to the configuration of its executor, or to an error."""

import hashlib
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tango

from ska_oso_oet import secrets
from ska_oso_oet.features import RECORD_EXECUTIONS, features_of_this_site
from ska_oso_oet.journal import JOURNAL_URL_VARIABLE
from ska_oso_oet.procedure.application.admission import Admission
from ska_oso_oet.procedure.application.service import ABORT_SCRIPT, NO_REPOSITORIES
from ska_oso_oet.procedure.domain import ExecutorSettings, FileSystemScript
from ska_oso_oet.procedure.domain.repositories import Repositories
from ska_oso_oet.procedure.domain.roots import ScriptRoots
from ska_oso_oet.queue import QueueSettings
from ska_oso_oet.tango import SCAN_ID_FILE_VARIABLE, SCAN_ID_USER_VARIABLE

from .executor import ExecutorConfig

SHIPPED_SCRIPTS = Path(ABORT_SCRIPT.path).parent

MAX_STANDBY_WORKERS = 64

MAX_SUBARRAY = 16
"""The SKA's telescopes have this many subarrays."""

SUBARRAY_VARIABLE = "SUBARRAY_ID"
"""Environment variable that replaces the property SubarrayId."""

_NOT_PLAIN = re.compile("[^a-z0-9_]")
_LONGEST_SCHEMA_NAME = 62
"""PostgreSQL keeps 63 characters of a name; one may have to be put in front."""

_NOT_NEGATIVE = (
    "HistoryLength",
    "StandbyWorkers",
    "StopGracePeriod",
    "InitTimeout",
    "FilesLimit",
    "EnvironmentLimit",
    "EnvironmentTimeout",
    "ReadyLimit",
    "ReadyTimeout",
)


def executor_config(device: Any) -> ExecutorConfig:
    """Return the configuration that the properties of a device describe.

    :param device: an `OETController`
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
        journal_url=secrets.environment().get(JOURNAL_URL_VARIABLE),
        journal_namespace=schema_name(name),
        settings=_settings(device, _state_directory(device.StateDirectory, name)),
        queue=QueueSettings(device.QueueAutostart, device.QueueStopOnFailure, device.HistoryLength),
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
    for name in ("EventRetention", "ScriptSizeLimit"):
        if (value := getattr(device, name)) < 1:
            raise ValueError(f"property {name} is {value}: give at least 1")
    if not (device.OdaTimeout > 0 and math.isfinite(device.OdaTimeout)):
        raise ValueError(f"property OdaTimeout is {device.OdaTimeout}: give some seconds")


def _abort_script(uri: str) -> FileSystemScript:
    """Return the abort script after a check that it can be run.

    :raises ValueError: if it could not
    """
    if not uri:
        return ABORT_SCRIPT
    script = FileSystemScript(uri)
    Admission(None, NO_REPOSITORIES).examine(script, trusted=True).require_main(script.name)
    return script


def _state_directory(given: str, device: str) -> Path:
    if given:
        if not Path(given).is_absolute():
            # It would depend on the folder in which the server was started.
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
        script_size_limit=device.ScriptSizeLimit,
        allow_embedded_scripts=device.AllowEmbeddedScripts,
        ready_limit=device.ReadyLimit,
        ready_timeout=device.ReadyTimeout,
        files_limit=device.FilesLimit,
        environment=_scan_ids(device.get_name(), state_directory),
        environment_limit=device.EnvironmentLimit,
        environment_timeout=device.EnvironmentTimeout,
        subarray_id=_subarray_id(device.SubarrayId),
    )


def _scan_ids(name: str, state_directory: Path) -> dict[str, str]:
    """Return the environment variables for scripts that define the source of scan IDs."""
    variables = {SCAN_ID_FILE_VARIABLE: str(state_directory / "scan_id")}
    if tango.Util._UseDb and not tango.Util._FileDb:  # noqa: SLF001  # Tango has no other way to ask
        variables[SCAN_ID_USER_VARIABLE] = name
    return variables


def _subarray_id(given: int | None) -> int | None:
    """Return the only subarray that scripts may use, None for any.

    :param given: the property, None if there is none
    :raises ValueError: if the property, or the variable that replaces it, is not the number of a subarray
    """
    if given is not None:
        return _require_subarray(f"property SubarrayId is {given}", given)
    text = os.environ.get(SUBARRAY_VARIABLE, "").strip()
    if not text:
        return None
    number = int(text) if text.isdecimal() and text.isascii() else -1
    return _require_subarray(f"environment variable {SUBARRAY_VARIABLE} is {text!r}", number)


def _require_subarray(what_is: str, number: int) -> int | None:
    if not 0 <= number <= MAX_SUBARRAY:
        raise ValueError(f"{what_is}: give the number of a subarray, 1 to {MAX_SUBARRAY}, or 0 for any")
    return number or None
