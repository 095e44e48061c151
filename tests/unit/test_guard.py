"""Unit tests start no process and open no connection: one that does fails, even if it hides that."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context

import pytest

pytestmark = pytest.mark.xfail(strict=True, raises=AssertionError)


def test_a_process() -> None:
    with suppress(OSError):
        subprocess.run([sys.executable, "--version"], check=True)


def test_a_worker_of_a_forkserver() -> None:
    with suppress(OSError):
        get_context("forkserver").Process().start()


def test_a_connection_of_another_thread() -> None:
    with ThreadPoolExecutor() as pool:
        pool.submit(socket.create_connection, ("127.0.0.1", 9))


def test_a_server() -> None:
    with suppress(OSError), socket.create_server(("127.0.0.1", 0)):
        pass
