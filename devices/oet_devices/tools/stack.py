"""``oet-stack``: all of the OET on one machine, in the foreground.

It starts a Tango database, registers the controller, starts its device server and the REST sidecar, and
ends all of them on a signal, or when one of them ends.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ska_oso_oet import secrets
from ska_oso_oet.files import make_private

from .stack_place import default_state_directory, own_directory, require_free_port
from .stack_process import Part, StackError
from .stack_readiness import until_available

if TYPE_CHECKING:
    import tango

INSTANCE = "01"
_STOP_TIMEOUT = 4.0
_LEAST_STOP_TIMEOUT = 0.3
_DEVICE_SERVER_READY = "Ready to accept request"
_SIDECAR_READY = r"REST ready: (\S+)"
_API, _READINESS = "/api/v1.0", "/readyz"
_DATABASE_READY = r"listening on: host=[\d.]+, port=(\d+)"


@dataclass(frozen=True)
class StackOptions:
    """Options of the stack.

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
    subarrays: int = 0
    """How many controllers there are, each for one subarray; 0 for one controller.

    That one is for the subarray that the environment variable SUBARRAY_ID names, else for any."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that the REST service is known by, in addition to those of the loopback interface."""
    insecure: bool = False
    """Whether the REST service may listen on another interface without a token."""
    quiet: bool = False
    """Whether to leave warnings and errors to the logs, and not to show them on standard error."""


class Stack:
    """The processes of the stack.

    :param options: what was chosen
    :ivar logs: folder with a log of each of them
    """

    def __init__(self, options: StackOptions) -> None:
        self._options = options
        self.logs = options.state_directory / "logs"
        self._parts: list[Part] = []
        self._watches: list[asyncio.Task[None]] = []
        self._ends: asyncio.Queue[str] = asyncio.Queue()

    async def start(self) -> str:
        """Start everything.

        :returns: the line that says where everything is
        :raises StackError: if something cannot be started
        """
        make_private(self._options.state_directory)
        self.logs.mkdir(exist_ok=True)
        if self._options.rest_port:
            require_free_port(self._options.host, self._options.rest_port, "--rest-port")
        tango_host, _ = await asyncio.gather(self._start_database(), asyncio.to_thread(_import_late))
        devices = await asyncio.to_thread(self._register, tango_host)
        # At the same time: the sidecar finds the device when it is there.
        _, rest = await asyncio.gather(
            self._start_device_server(tango_host), self._start_sidecar(tango_host, devices)
        )
        # It may have looked for the device too early, and then looks again only after a while.
        root = rest.removesuffix(_API)
        numbers = range(1, len(devices) + 1)
        await asyncio.gather(
            *(until_available(f"{root}/subarrays/{number}{_READINESS}") for number in numbers)
        )
        return f"OET ready: TANGO_HOST={tango_host} DEVICE={devices[0]} REST={rest} PAGE={root}/"

    async def _start_database(self) -> str:
        host = self._options.host
        port = str(require_free_port(host, self._options.tango_port, "--tango-port"))
        arguments = ["--host", host, "--port", port, "--print-host-port", "2"]
        file = {"PYTANGO_DATABASE_NAME": str(self._options.state_directory / "tango_database.db")}
        listening = await self._start_part(
            "Tango database", "tango.databaseds.database", arguments, file, _DATABASE_READY
        )
        return f"{host}:{listening[1]}"

    def _register(self, tango_host: str) -> list[str]:
        import tango

        host, _, port = tango_host.rpartition(":")
        properties: dict[str, list[str]] = {"AllowEmbeddedScripts": ["true"]}
        if self._options.script_roots:
            properties["ScriptRoots"] = [str(root) for root in self._options.script_roots]
        if self._options.git_repositories:
            properties["GitRepositories"] = list(self._options.git_repositories)
        database = tango.Database(host, int(port))
        devices = self._register_all(database, properties)
        # Controllers of an earlier stack with more subarrays must not be served.
        for known in database.get_device_name(f"OETController/{INSTANCE}", "OETController"):
            if known.lower() not in devices:
                database.delete_device(known)
        return devices

    def _register_all(self, database: "tango.Database", properties: dict[str, list[str]]) -> list[str]:
        from .registration import register, registration_file

        state = self._options.state_directory
        if not self._options.subarrays:
            own = {"StateDirectory": [str(state / "controller")]}
            devices = register(database, registration_file("oet-mid"), properties | own)
            # A value of an earlier stack, or of the file, does not apply: the environment may set it.
            for device in devices:
                database.delete_device_property(device, "SubarrayId")
            return devices
        devices = []
        for number in range(1, self._options.subarrays + 1):
            own = {
                "StateDirectory": [str(state / f"controller-{number:02}")],
                "SubarrayId": [str(number)],
            }
            devices += register(database, self._registration(number), properties | own)
        return devices

    def _registration(self, number: int) -> Path:
        """Write the registration of the controller of a subarray, as that of the shipped one."""
        from .registration import registration_file

        text = registration_file("oet-mid").read_text().replace("controller/01", f"controller/{number:02}")
        file = self._options.state_directory / f"oet-mid-{number:02}.json"
        file.write_text(text)
        return file

    async def _start_device_server(self, tango_host: str) -> None:
        from .sample_blocks import provide_scheduling_blocks

        arguments = [INSTANCE, "-ORBendPoint", f"giop:tcp:{self._options.host}:0"]
        blocks = provide_scheduling_blocks(self._options.state_directory / "oda", os.environ)
        environment = {"TANGO_HOST": tango_host, **blocks, **secrets.chosen(secrets.OF_CONTROLLER)}
        await self._start_part(
            "OETController", "oet_devices.server", arguments, environment, _DEVICE_SERVER_READY
        )

    async def _start_sidecar(self, tango_host: str, devices: Sequence[str]) -> str:
        arguments = ["--host", self._options.host, "--port", str(self._options.rest_port)]
        arguments += [f"--allowed-host={name}" for name in self._options.allowed_hosts]
        arguments += ["--insecure"] if self._options.insecure else []
        named = [f"{number}={device}" for number, device in enumerate(devices, start=1)]
        environment = {"TANGO_HOST": tango_host, "OET_DEVICE": " ".join(named)}
        environment |= secrets.chosen(secrets.OF_SIDECAR)
        listening = await self._start_part(
            "REST sidecar", "ska_oso_oet.sidecar", arguments, environment, _SIDECAR_READY
        )
        return listening[1]

    async def _start_part(
        self, name: str, module: str, arguments: Sequence[str], environment: dict[str, str], ready: str
    ) -> re.Match[str]:
        """Start a process, and wait until it prints a line that says that it is ready."""
        log = self.logs / f"{name.lower().replace(' ', '-')}.log"
        # -P: the folder that the stack was started in may have files of any name.
        command = [sys.executable, "-P", "-m", module, *arguments]
        part = Part(name, command, environment, log, lambda line: self.show(f"{name}: {line}"))
        self._parts.append(part)
        match = await part.start(ready)
        self._watches.append(asyncio.create_task(self._watch(part)))
        return match

    async def _watch(self, part: Part) -> None:
        self._ends.put_nowait(await part.ended())

    def show(self, line: str) -> None:
        """Show a line to the person who has started the stack."""
        if not self._options.quiet:
            click.echo(line, err=True)

    async def ended(self) -> str:
        """Wait until one of the processes that were ready has ended, and say which."""
        return await self._ends.get()

    async def stop(self) -> None:
        """End everything, the database last, because the others need it. All share one time limit."""
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
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A stack that is started with nohup must outlive the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            # The second signal does not wait for anything.
            loop.add_signal_handler(number, lambda: stack.kill() if ending.is_set() else ending.set())
    work = asyncio.create_task(_start_and_watch(stack))
    waiting = asyncio.create_task(ending.wait())
    try:
        await asyncio.wait([work, waiting], return_when=asyncio.FIRST_COMPLETED)
        if work.done() and not ending.is_set():
            work.result()
    finally:
        ending.set()
        work.cancel()
        waiting.cancel()
        await stack.stop()


async def _start_and_watch(stack: Stack) -> None:
    starting = asyncio.create_task(stack.start())
    end = asyncio.create_task(stack.ended())
    try:
        # A process may end while the others are not ready yet.
        await asyncio.wait([starting, end], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            click.echo(starting.result())
            stack.show(f"Logs are in {stack.logs}; warnings and errors are also shown here.")
        raise StackError(await end)
    finally:
        starting.cancel()
        end.cancel()


def _import_late() -> None:
    """Import what is needed once the database has started, which takes as long."""
    from . import registration, sample_blocks  # noqa: F401


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
    "--allowed-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="Name by which clients know the REST service; may be given more than once.",
    show_default="loopback names and addresses of this machine",
)
@click.option(
    "--insecure",
    is_flag=True,
    help="Listen on another interface than loopback without OET_API_TOKEN: everybody who reaches the REST "
    "service controls the telescope.",
)
@click.option("--quiet", is_flag=True, help="Leave warnings and errors to the logs: show none.")
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
    help="Git repositories that scripts may be run from, e.g. https://host.org/group/* for all of a group; "
    "may be given more than once.",
    show_default="none",
)
@click.option(
    "--subarrays",
    metavar="N",
    type=click.IntRange(1, 16),
    help="Run N controllers, for the subarrays 1 to N, behind one REST service.",
    show_default="one controller, for the subarray of SUBARRAY_ID, else for any",
)
def main(
    state_dir: Path | None,
    tango_port: int,
    rest_port: int,
    host: str,
    allowed_hosts: tuple[str, ...],
    insecure: bool,
    quiet: bool,
    script_roots: tuple[Path, ...],
    git_repositories: tuple[str, ...],
    subarrays: int | None,
) -> None:
    """Run all of the OET on this machine: Tango database, OETController, REST service.

    Prints one line when all is up. Ctrl-C ends it.
    """
    # Each part gets those that it needs.
    secrets.withhold()
    with tempfile.TemporaryDirectory(prefix="oet-stack-") as temporary:
        if state_dir is None:
            state_dir = default_state_directory(tango_port) if tango_port else Path(temporary)
        options = StackOptions(
            state_dir.absolute(),
            tango_port,
            rest_port,
            host,
            script_roots,
            git_repositories,
            subarrays or 0,
            allowed_hosts,
            insecure,
            quiet,
        )
        try:
            with own_directory(options.state_directory):
                asyncio.run(run(options))
        except StackError as error:
            click.echo(f"oet-stack: {error}", err=True)
            sys.exit(1)


if __name__ == "__main__":
    main()
