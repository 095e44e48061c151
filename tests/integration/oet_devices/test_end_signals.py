"""Signals end a device server in order, and a second one at once."""

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.support.controllers import controller_proxy, controller_server
from tests.support.patience import patience
from tests.support.processes import ServerProcess
from tests.support.tango_stack import tango_database
from tests.support.ten_scripts import occupy
from tests.support.thread_group import full_thread_group

from ska_oso_oet.journal import open_journal

END_TIME = patience(5.0)
"""Seconds within which everything has to end."""

_DEVICE = "test/signals/1"


@pytest.fixture(scope="module")
def tango_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tango database."""
    with tango_database(tmp_path_factory.mktemp("tango")) as host:
        yield host


@contextmanager
def disposition(number: signal.Signals, what: signal.Handlers) -> Iterator[None]:
    """Let processes that are started meanwhile have a signal's default, or ignore it."""
    before = signal.signal(number, what)
    try:
        yield
    finally:
        signal.signal(number, before)


class Busy:
    """A device server with ten scripts.

    :param server: its process
    :param state: its state directory
    :param ids: of the scripts
    """

    def __init__(self, server: ServerProcess, state: Path, ids: list[int]) -> None:
        self.server = server
        self._state = state
        self.ids = ids
        main = psutil.Process(server.pid)
        self.workers = main.children(recursive=True)
        listening = [found for found in main.net_connections() if found.status == psutil.CONN_LISTEN]
        self.ports = [found.laddr.port for found in listening]

    def assert_gone(self) -> None:
        """Check that of the server and its scripts nothing is left."""
        _, left = psutil.wait_procs(self.workers, timeout=patience(1.0))
        assert [process for process in left if process.status() != psutil.STATUS_ZOMBIE] == []
        assert self.ports
        for port in self.ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))

    def ends(self) -> dict[int, str]:
        """Return what is recorded of how the scripts have ended."""
        journal = open_journal(self._state / "01-0")
        try:
            documents = journal.newest_documents("procedure", 100)
            return {found.id: found.text.rpartition('"state":"')[2].split('"')[0] for found in documents}
        finally:
            journal.close()


@pytest.fixture
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the server start afresh, so that its coverage is not measured: it would be stored before it ends.

    On a busy machine that takes longer than the scripts are waited for.
    """
    monkeypatch.setenv("STARTED_AFRESH", "1")


@pytest.fixture
def busy(tango_host: str, tmp_path: Path) -> Iterator[Busy]:
    """A device server with ten scripts, which heeds SIGHUP."""
    with (
        disposition(signal.SIGHUP, signal.SIG_DFL),
        controller_server(tango_host, tmp_path, [_DEVICE]) as server,
    ):
        yield Busy(server, tmp_path, occupy(controller_proxy(tango_host, _DEVICE)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_in_order_however_many_scripts_there_are(
    busy: Busy, number: signal.Signals
) -> None:
    begin = time.monotonic()
    busy.server.send_signal(number)
    assert busy.server.wait(2 * END_TIME) == 0
    busy.assert_gone()
    assert time.monotonic() - begin < END_TIME
    assert busy.ends() == dict.fromkeys(busy.ids, "STOPPED")


@pytest.mark.usefixtures("_unmeasured")
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_ends_all_at_once(busy: Busy, first: signal.Signals) -> None:
    busy.server.send_signal(first)
    busy.server.send_signal(signal.SIGINT)
    assert busy.server.wait(2 * END_TIME) in {128 + signal.SIGINT, 128 + first}
    busy.assert_gone()
    # The scripts, which heed nothing, were not waited for.
    assert "STOPPED" not in {busy.ends()[number] for number in busy.ids[:8]}
    assert "ending at once" in busy.server.output


def test_a_server_ends_in_order_although_the_system_refuses_threads_for_a_moment(busy: Busy) -> None:
    with full_thread_group(busy.server.pid):
        busy.server.send_signal(signal.SIGTERM)
        busy.server.wait_for_output("The system refuses a thread")
    assert busy.server.wait(2 * END_TIME) == 0
    busy.assert_gone()
    assert busy.ends() == dict.fromkeys(busy.ids, "STOPPED")


def test_a_second_signal_ends_all_at_once_although_the_system_refuses_threads(busy: Busy) -> None:
    with full_thread_group(busy.server.pid):
        busy.server.send_signal(signal.SIGTERM)
        busy.server.wait_for_output("The system refuses a thread")
        busy.server.send_signal(signal.SIGTERM)
        assert busy.server.wait(END_TIME) == 128 + signal.SIGTERM
    busy.assert_gone()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_server_that_was_started_to_ignore_a_signal_does(
    tango_host: str, tmp_path: Path, number: signal.Signals
) -> None:
    with (
        disposition(number, signal.SIG_IGN),
        controller_server(tango_host, tmp_path, [_DEVICE]) as server,
    ):
        server.send_signal(number)
        assert controller_proxy(tango_host, _DEVICE).ping() > 0
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 0
        assert "ending at once" not in server.output
