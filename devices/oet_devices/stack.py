"""``oet-stack``: all of the OET on one machine, in the foreground.

It starts a Tango database, registers the controller, starts its device server and the REST sidecar, and
ends all of them when it is told to, or when one of them ends.
"""

import asyncio
import fcntl
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from .stack_part import Part, StackError

INSTANCE = "01"
_STOP_TIMEOUT = 4.0
_LEAST_STOP_TIMEOUT = 0.3
_DEVICE_SERVER_READY = "Ready to accept request"
_SIDECAR_READY = r"REST ready: (\S+)"
_API, _READINESS = "/api/v1.0", "/readyz"
_READINESS_PAUSE = 0.1
_READINESS_TIMEOUT = 1.0
_DATABASE_READY = r"listening on: host=[\d.]+, port=(\d+)"


@dataclass(frozen=True)
class StackOptions:
    """What can be chosen about the stack.

    :param state_directory: where everything is kept
    :param tango_port: TCP port of the Tango database, 0 for any
    :param rest_port: TCP port of the REST service, 0 for any
    :param host: address to listen at
    :param script_roots: folders that scripts may be run from; without any, those that ship
    :param git_repositories: patterns of git repositories that scripts may be run from
    """

    state_directory: Path
    tango_port: int
    rest_port: int
    host: str
    script_roots: tuple[Path, ...]
    git_repositories: tuple[str, ...]


class Stack:
    """The processes of the stack.

    :param options: what was chosen
    """

    def __init__(self, options: StackOptions) -> None:
        self._options = options
        self._logs = options.state_directory / "logs"
        self._parts: list[Part] = []

    async def start(self) -> str:
        """Start everything.

        :returns: the line that says where everything is
        :raises StackError: if something cannot be started
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        if self._options.rest_port:
            _require_free(self._options.host, self._options.rest_port, "--rest-port")
        tango_host, _ = await asyncio.gather(self._start_database(), asyncio.to_thread(_import_late))
        device = await asyncio.to_thread(self._register, tango_host)
        # At the same time: the sidecar finds the device when it is there.
        _, rest = await asyncio.gather(
            self._start_device_server(tango_host), self._start_sidecar(tango_host, device)
        )
        # It may have looked for the device too early, and then looks again only after a while.
        await _until_ready(rest.replace(_API, _READINESS))
        return f"OET ready: TANGO_HOST={tango_host} DEVICE={device} REST={rest}"

    async def _start_database(self) -> str:
        host = self._options.host
        port = str(_require_free(host, self._options.tango_port, "--tango-port"))
        arguments = ["--host", host, "--port", port, "--print-host-port", "2"]
        file = {"PYTANGO_DATABASE_NAME": str(self._options.state_directory / "tango_database.db")}
        part = self._part("Tango database", "tango.databaseds.database", arguments, file)
        listening = await part.start(_DATABASE_READY)
        return f"{host}:{listening[1]}"

    def _register(self, tango_host: str) -> str:
        import tango

        from .registration import register, registration_file

        host, _, port = tango_host.rpartition(":")
        properties = {"StateDirectory": [str(self._options.state_directory / "controller")]}
        if self._options.script_roots:
            properties["ScriptRoots"] = [str(root) for root in self._options.script_roots]
        if self._options.git_repositories:
            properties["GitRepositories"] = list(self._options.git_repositories)
        return register(tango.Database(host, int(port)), registration_file("oet-mid"), properties)[0]

    async def _start_device_server(self, tango_host: str) -> None:
        from .sample_blocks import provide_scheduling_blocks

        arguments = [INSTANCE, "-ORBendPoint", f"giop:tcp:{self._options.host}:0"]
        blocks = provide_scheduling_blocks(self._options.state_directory / "oda", os.environ)
        environment = {"TANGO_HOST": tango_host, **blocks}
        part = self._part("OETController", "oet_devices.server", arguments, environment)
        await part.start(_DEVICE_SERVER_READY)

    async def _start_sidecar(self, tango_host: str, device: str) -> str:
        arguments = ["--host", self._options.host, "--port", str(self._options.rest_port)]
        environment = {"TANGO_HOST": tango_host, "OET_DEVICE": device}
        part = self._part("REST sidecar", "ska_oso_oet.sidecar", arguments, environment)
        listening = await part.start(_SIDECAR_READY)
        return listening[1]

    def _part(self, name: str, module: str, arguments: Sequence[str], environment: dict[str, str]) -> Part:
        log = self._logs / f"{name.lower().replace(' ', '-')}.log"
        part = Part(name, [sys.executable, "-m", module, *arguments], environment, log)
        self._parts.append(part)
        return part

    async def ended(self) -> str:
        """Wait until one of the processes has ended, and say which."""
        ends = [asyncio.create_task(part.ended()) for part in self._parts]
        done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for end in pending:
            end.cancel()
        return next(iter(done)).result()

    async def stop(self) -> None:
        """End everything, the database last, for the others need it. All together are given one time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _STOP_TIMEOUT
        await asyncio.gather(*(part.stop(_STOP_TIMEOUT) for part in self._parts[1:]))
        for database in self._parts[:1]:
            await database.stop(max(_LEAST_STOP_TIMEOUT, deadline - loop.time()))

    def kill(self) -> None:
        """End everything at once."""
        for part in self._parts:
            part.kill()


async def run(options: StackOptions) -> None:
    """Run the stack until a signal comes, or one of its processes ends.

    :raises StackError: if it cannot be started, or ends by itself
    """
    stack = Stack(options)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever starts a stack with nohup wants it to outlive the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            # The second signal does not wait for anything.
            loop.add_signal_handler(number, lambda: stack.kill() if told.is_set() else told.set())
    work = asyncio.create_task(_start_and_watch(stack))
    waiting = asyncio.create_task(told.wait())
    try:
        await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not told.is_set():
            work.result()
    finally:
        told.set()
        work.cancel()
        waiting.cancel()
        await stack.stop()


async def _start_and_watch(stack: Stack) -> None:
    click.echo(await stack.start())
    raise StackError(await stack.ended())


def _import_late() -> None:
    """Import what is needed once the database has started, which takes as long."""
    from . import registration, sample_blocks  # noqa: F401


async def _until_ready(url: str) -> None:
    """Wait until the REST service says that it can do its work.

    :param url: where it says so
    :raises StackError: if it does not within the time that each part has for its start
    """
    deadline = time.monotonic() + Part.START_TIMEOUT
    while not await asyncio.to_thread(_is_ready, url):
        if time.monotonic() >= deadline:
            raise StackError("the REST service does not find the device: see their logs")
        await asyncio.sleep(_READINESS_PAUSE)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=_READINESS_TIMEOUT):  # noqa: S310 - an address of our own
            return True
    except OSError:  # as is an answer of 503
        return False


def _require_free(host: str, port: int, option: str) -> int:
    """Return a port that is free: the one that was asked for, or any if that is 0.

    :raises StackError: if it is taken
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StackError(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                f"end what uses it, or choose another with {option}"
            ) from None
        return int(probe.getsockname()[1])


@contextmanager
def _own(directory: Path) -> Iterator[None]:
    """Be the only stack that uses a folder.

    :raises StackError: if another one does, or the folder cannot be used
    """
    lock = directory / "stack.lock"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+")
    except OSError as error:
        raise StackError(f"the state directory {directory} cannot be used: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise StackError(
                f"the state directory {directory} is used by another stack (process {file.read().strip()}): "
                "end that, or choose another folder with --state-dir"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _default_state_directory(tango_port: int) -> Path:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "ska-oso-oet" / f"stack-{tango_port}"


_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True)
_PORT = click.IntRange(0, 65535)


@click.command(context_settings={"show_default": True})
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="Folder to keep everything in.",
    show_default="~/.local/state/ska-oso-oet/stack-PORT, or a temporary one if any port will do",
)
@click.option("--tango-port", type=_PORT, default=10000, help="Port of the Tango database, 0 for any.")
@click.option("--rest-port", type=_PORT, default=5000, help="Port of the REST service, 0 for any.")
@click.option("--host", default="127.0.0.1", help="Address to listen at.")
@click.option(
    "--script-root",
    "script_roots",
    type=_FOLDER,
    multiple=True,
    help="Folder that scripts may be run from; may be given more than once.",
    show_default="the scripts that ship",
)
@click.option(
    "--git-repository",
    "git_repositories",
    metavar="PATTERN",
    multiple=True,
    help="Git repositories that scripts may be run from, such as https://host.org/group/*; "
    "may be given more than once.",
    show_default="none",
)
def main(
    state_dir: Path | None,
    tango_port: int,
    rest_port: int,
    host: str,
    script_roots: tuple[Path, ...],
    git_repositories: tuple[str, ...],
) -> None:
    """Run all of the OET on this machine: Tango database, OETController, REST service.

    Prints one line when all is up. Ctrl-C ends it.
    """
    with tempfile.TemporaryDirectory(prefix="oet-stack-") as temporary:
        if state_dir is None:
            state_dir = _default_state_directory(tango_port) if tango_port else Path(temporary)
        options = StackOptions(
            state_dir.absolute(), tango_port, rest_port, host, script_roots, git_repositories
        )
        try:
            with _own(options.state_directory):
                asyncio.run(run(options))
        except StackError as error:
            click.echo(f"oet-stack: {error}", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
