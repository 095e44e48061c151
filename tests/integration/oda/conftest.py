"""Three homes of Scheduling Blocks, and a way to fill each behind its back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.oda_homes import (
    CHANGE,
    INSERT,
    TABLES,
    Home,
    SearchableHome,
    connect,
    postgres_environment,
)
from tests.support.oda_server import OdaServer, running_oda_server
from tests.support.postgres_server import postgres_programs, running_postgres

from ska_oso_oet.oda import open_oda
from ska_oso_oet.oda.rest import RestOda


@pytest.fixture(scope="package")
def oda_server() -> Iterator[OdaServer]:
    with running_oda_server() as server:
        yield server


@pytest.fixture(scope="package")
def postgres_port() -> Iterator[int]:
    """Port of a database with the tables of an ODA."""
    programs = postgres_programs()
    if programs is None:
        message = "no PostgreSQL server is installed (Debian: apt install postgresql)"
        if os.environ.get("OET_REQUIRE_SYSTEM_TESTS") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with running_postgres(programs) as port:
        with connect(port) as connection:
            connection.execute(TABLES)
        yield port


@pytest.fixture
def filesystem_home(tmp_path: Path) -> SearchableHome:
    folder = tmp_path / "oda"
    folder.mkdir()

    def put(sbd_id: str, version: int, document: Any) -> None:
        path = folder / "sbd" / sbd_id / f"{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))

    def change(sbd_id: str, version: int, time: float) -> None:
        os.utime(folder / "sbd" / sbd_id / f"{version}.json", (time, time))

    away = open_oda({"ODA_DATA_DIR": str(tmp_path / "missing")})
    return SearchableHome(open_oda({"ODA_DATA_DIR": str(folder)}), put, away, change)


@pytest.fixture
def rest_home(oda_server: OdaServer) -> Iterator[Home]:
    oda_server.reset()

    def put(sbd_id: str, version: int, document: Any) -> None:
        oda_server.documents.setdefault(sbd_id, {})[version] = json.dumps(document)

    oda = open_oda({"ODA_BACKEND_TYPE": "rest", "ODA_URL": oda_server.url})
    away = RestOda("http://127.0.0.1:1/oda/api/v5", delays=(0.01,))
    yield Home(oda, put, away)
    oda.close()
    away.close()


@pytest.fixture
def postgres_home(postgres_port: int) -> SearchableHome:
    with connect(postgres_port) as connection:
        connection.execute("TRUNCATE tab_oda_sbd, tab_oda_sbi")

    def put(sbd_id: str, version: int, document: Any) -> None:
        with connect(postgres_port) as connection:
            connection.execute(INSERT, (json.dumps(document), sbd_id, version))

    def change(sbd_id: str, version: int, time: float) -> None:
        with connect(postgres_port) as connection:
            connection.execute(CHANGE, (time, sbd_id, version))

    oda = open_oda(postgres_environment(postgres_port))
    return SearchableHome(oda, put, open_oda(postgres_environment(1)), change)


@pytest.fixture(params=["filesystem", "postgres"])
def searchable_home(request: pytest.FixtureRequest) -> SearchableHome:
    home: SearchableHome = request.getfixturevalue(f"{request.param}_home")
    return home


@pytest.fixture(params=["filesystem", "rest", "postgres"])
def home(request: pytest.FixtureRequest) -> Home:
    home: Home = request.getfixturevalue(f"{request.param}_home")
    return home
