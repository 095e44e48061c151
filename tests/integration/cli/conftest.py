"""A server that keeps the contract, and the command that talks to it."""

import time
from collections.abc import Iterator

import pytest
from tests.support.contract_server import ContractServer, contract_server
from tests.support.oet_command import OetCommand, OetInProcess


@pytest.fixture
def server() -> Iterator[ContractServer]:
    with contract_server() as running:
        yield running


@pytest.fixture
def oet(server: ContractServer) -> OetCommand:
    return OetCommand(server.url)


@pytest.fixture
def invoke(server: ContractServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[OetInProcess]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield OetInProcess(server.url)
    monkeypatch.undo()
    time.tzset()
