"""Particular behaviour of the database of the ODA."""

import pytest
from tests.support.oda_homes import Home, connect, postgres_environment
from tests.support.postgres_server import LOOPBACK, USER, postgres_programs, running_postgres

from ska_oso_oet.oda import (
    OdaNotConfiguredError,
    OdaUnavailableError,
    SBInstance,
    StoringNotSupportedError,
    open_oda,
)


def test_an_sbinstance_is_stored_once(postgres_home: Home, postgres_port: int) -> None:
    instance = SBInstance(sbd_id="sbd-123", sbd_version=4, telescope="ska_mid")
    postgres_home.oda.store_sbinstance(instance)
    with pytest.raises(StoringNotSupportedError, match="an ID of its own"):
        postgres_home.oda.store_sbinstance(instance)
    with connect(postgres_port) as connection:
        rows = connection.execute("SELECT info, sbi_id, sbd_id, sbd_version FROM tab_oda_sbi").fetchall()
    assert rows == [(instance.model_dump(mode="json"), instance.sbi_id, "sbd-123", 4)]


def test_a_database_that_is_no_oda(postgres_port: int) -> None:
    oda = open_oda({**postgres_environment(postgres_port), "POSTGRES_DB_NAME": "template1"})
    with pytest.raises(OdaNotConfiguredError, match='"tab_oda_sbd" does not exist'):
        oda.get_sbdefinition("sbd-123")


def test_newer_deployments_name_their_variables_otherwise(postgres_home: Home, postgres_port: int) -> None:
    postgres_home.put("sbd-123", 1, {"sbd_id": "sbd-123"})
    newer = {"PGHOST": LOOPBACK, "PGPORT": str(postgres_port), "PGDATABASE": "postgres", "PGUSER": USER}
    outranked = {"POSTGRES_HOST": "no.such.host.invalid", "POSTGRES_PORT": "1", "POSTGRES_DB_NAME": "none"}
    oda = open_oda({"ODA_BACKEND_TYPE": "postgres", **newer, **outranked})
    assert oda.get_sbdefinition("sbd-123").sbd_id == "sbd-123"


def test_no_such_database_is_said_without_the_password(postgres_port: int) -> None:
    environment = {
        **postgres_environment(postgres_port),
        "POSTGRES_DB_NAME": "elsewhere",
        "ADMIN_POSTGRES_PASSWORD": "secret",
    }
    with pytest.raises(OdaUnavailableError, match='database "elsewhere" does not exist') as caught:
        open_oda(environment).get_sbdefinition("sbd-123")
    assert "secret" not in str(caught.value)


def test_a_database_that_goes_away(postgres_port: int) -> None:
    programs = postgres_programs()
    assert programs is not None
    with running_postgres(programs) as port:
        oda = open_oda(postgres_environment(port))
        with pytest.raises(OdaNotConfiguredError):
            oda.get_sbdefinition("sbd-123")
    with pytest.raises(
        OdaUnavailableError, match=f"127.0.0.1:{port}/postgres cannot be used.*check that it runs"
    ):
        oda.get_sbdefinition("sbd-123")
