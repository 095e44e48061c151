"""A server that keeps the contract, and the command that talks to it."""

import time
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result
from tests.support.contract_server import ContractServer, contract_server
from tests.support.oet_command import OetCommand

from ska_oso_oet.cli import main


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as running:
        yield running


@pytest.fixture
def oet(server: ContractServer) -> OetCommand:
    return OetCommand(server.url)


Invoke = Callable[..., Result]


@pytest.fixture
def invoke(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Invoke]:
    """Call the command within this process, where one of its own would make no difference."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()

    def call(*arguments: str, status: int = 0, url: str | None = None, token: str | None = None) -> Result:
        env = {"OET_REST_URI": url or server.url, "OET_API_TOKEN": token}
        result = CliRunner().invoke(main, arguments, env=env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == status, result.output
        return result

    yield call
    monkeypatch.undo()
    time.tzset()
