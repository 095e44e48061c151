"""Selection of the source of Scheduling Blocks by the environment."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from ska_oso_oet import secrets

from .errors import OdaNotConfiguredError
from .filesystem import FilesystemOda
from .interface import DEFAULT_TIME_LIMIT, Oda

DEFAULT_DATA_DIR = Path("/var/lib/oda")

SAMPLES_DIR = Path(__file__).parent / "samples"
"""An ODA of files, with one Scheduling Block whose activities are the example scripts."""


class BackendType(StrEnum):
    """Values of ODA_BACKEND_TYPE."""

    FILESYSTEM = "filesystem"
    REST = "rest"
    POSTGRES = "postgres"


def open_oda(environment: Mapping[str, str] | None = None, time_limit: float = DEFAULT_TIME_LIMIT) -> Oda:
    """Return the source of Scheduling Blocks that ODA_BACKEND_TYPE selects. No connection is made yet.

    - ``filesystem`` (default): ODA_DATA_DIR
    - ``rest``: ODA_URL
    - ``postgres``: PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD, or, as older deployments have it,
      POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB_NAME, ADMIN_POSTGRES_USER and ADMIN_POSTGRES_PASSWORD

    :param environment: environment variables; None for this process's
    :param time_limit: seconds that the REST service is given to answer, all attempts together
    :raises OdaNotConfiguredError: if a variable that is needed is missing or malformed
    """
    env = secrets.environment() if environment is None else environment
    name = env.get("ODA_BACKEND_TYPE") or BackendType.FILESYSTEM
    try:
        backend = BackendType(name.lower())
    except ValueError:
        raise OdaNotConfiguredError(
            f"ODA_BACKEND_TYPE is {name!r}; set it to one of: {', '.join(BackendType)}"
        ) from None
    if backend is BackendType.REST:
        return _rest(env, time_limit)
    if backend is BackendType.POSTGRES:
        return _postgres(env)
    return FilesystemOda(Path(env.get("ODA_DATA_DIR") or DEFAULT_DATA_DIR))


# The clients are imported where they are needed: not for files.


def _rest(env: Mapping[str, str], time_limit: float) -> Oda:
    from .rest import RestOda

    return RestOda(env.get("ODA_URL", ""), time_limit=time_limit)


def _postgres(env: Mapping[str, str]) -> Oda:
    from .postgres import PostgresOda, PostgresSettings

    variables = {
        "host": ("PGHOST", "POSTGRES_HOST"),
        "port": ("PGPORT", "POSTGRES_PORT"),
        "database": ("PGDATABASE", "POSTGRES_DB_NAME"),
        "user": ("PGUSER", "ADMIN_POSTGRES_USER"),
        "password": ("PGPASSWORD", "ADMIN_POSTGRES_PASSWORD"),
    }
    given = {
        setting: value
        for setting, (newer, older) in variables.items()
        if (value := env.get(newer) or env.get(older))
    }
    return PostgresOda(PostgresSettings(**given))
