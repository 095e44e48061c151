"""A telescope of Tango devices for all tests of this folder."""

from collections.abc import Iterator

import pytest
from tests.support.tango_stack import tango_database
from tests.support.telescope import TelescopeServer, running_telescope

from ska_oso_oet.tango import _subscriptions


@pytest.fixture(scope="package")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with tango_database(tmp_path_factory.mktemp("tango-database")) as tango_host:
        yield tango_host


@pytest.fixture(scope="package")
def telescope(tango_host: str) -> Iterator[TelescopeServer]:
    with running_telescope(tango_host, "shared") as telescope:
        try:
            yield telescope
        finally:
            # A process has its subscriptions until its end: in later tests of this one, Tango would report
            # their failure, and would open sockets to try again.
            _subscriptions._unsubscribe_all()
