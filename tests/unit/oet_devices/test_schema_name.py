"""Every device has a schema of its own in a PostgreSQL database, whatever its name."""

import pytest

from oet_devices.properties import schema_name
from ska_oso_oet.journal.postgres import PostgresBackend

_LONG = f"mid-oet/{'very-' * 20}long/controller"


@pytest.mark.parametrize(
    ("device", "schema"),
    [
        ("Mid-OET/controller/01", "mid_oet_controller_01"),
        ("01/oet/1", "_01_oet_1"),
        (f"{_LONG}-1", None),
    ],
)
def test_a_device_name_becomes_one_that_postgresql_takes(device: str, schema: str | None) -> None:
    name = schema_name(device)
    assert schema in (None, name)
    assert PostgresBackend("postgresql://host/database", name).name.endswith(f"schema {name}")


def test_long_names_that_begin_alike_are_told_apart() -> None:
    assert schema_name(f"{_LONG}-1") != schema_name(f"{_LONG}-2")
