"""Preparation of scripts: the files of a commit, and a Python environment. Runs in the message loop.

Each step is done by a process of its own, see `steps`, and once for all preparations that need it at the
same time. A step that no preparation needs is ended.
"""

import asyncio
import logging
import os
import shutil
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar, TypeVarTuple, Unpack
from weakref import WeakValueDictionary

from ska_oso_oet.model import ExecutableScript, GitArgs, GitScript

from ..domain.repositories import check_place
from ..domain.requirements import ScriptHeader
from ..domain.settings import ExecutorSettings
from ..environment import Environment, EnvironmentManager
from ..execution.starter import WorkerStarter
from ..gitmanager import find_script, read_notes
from .describing import DescribeStep
from .git_headers import package_source
from .inventory import Inventories
from .package_cache import PackageCache
from .prepared import Preparation, Prepared, PreparedScript
from .step_process import PreparationError, PreparationListener, StepProcess
from .steps import BuildStep, CheckOutStep, Step, StepWorker

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LOGGER = logging.getLogger(__name__)

_MAX_BUILDS = 4
"""How many environments are built at the same time; more would only slow each other and the scripts down."""

_MAX_CHECK_OUTS = 16
"""How many commits are looked for at the same time. That is mostly waiting for servers: one that does not
answer must not delay the others."""

_MAX_DESCRIPTIONS = 2
"""How many scripts are read at the same time for their descriptions."""

_RELEASE_TIME = 2.0
"""Seconds until the environment of a procedure that has ended is certainly released."""

_COPYING_THREADS = 2
"""Threads that copy checkouts and look at the files of environments."""


class PreparationService:
    """Prepares scripts. All methods are called in the message loop's thread.

    :param starter: starts the processes
    :param settings: how scripts are executed
    :param remove: removes a folder, in the background
    """

    def __init__(
        self, starter: WorkerStarter, settings: ExecutorSettings, remove: Callable[[Path], None]
    ) -> None:
        self._starter = starter
        self._timeout = settings.environment_timeout
        self._packages_limit = settings.packages_limit
        self._script_size_limit = settings.script_size_limit
        self._manager = EnvironmentManager(settings.state_directory / "git", settings.environment_limit)
        self._remove = remove
        self._loop = asyncio.get_running_loop()
        self._joinable: dict[Hashable, StepProcess] = {}
        self._processes: dict[StepProcess, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._slots: dict[type[Step], asyncio.Semaphore] = {
            BuildStep: asyncio.Semaphore(_MAX_BUILDS),
            CheckOutStep: asyncio.Semaphore(_MAX_CHECK_OUTS),
            DescribeStep: asyncio.Semaphore(_MAX_DESCRIPTIONS),
        }
        self._being_checked_out = 0
        self._started = 0
        self._released = asyncio.Event()
        # Started when they are needed: where the system refuses them, it refuses the processes as well.
        self._threads = ThreadPoolExecutor(_COPYING_THREADS, "oet-checkouts")
        self._inventories = Inventories()
        self._packages = PackageCache(self._manager.packages, self._put_away, self._threads)
        for path in self._manager.leftovers():
            remove(path)

    def begin(
        self, script: ExecutableScript, header: ScriptHeader | None, listener: PreparationListener
    ) -> Preparation:
        """Begin to prepare a script.

        :param script: the script
        :param header: its header, if it is not from git and names packages that it needs
        :param listener: called with the progress
        """
        if isinstance(script, GitScript):
            task = self._loop.create_task(self._prepare(script, listener))
        elif header is not None:
            task = self._loop.create_task(self._prepare_packages(header, listener))
        else:
            raise ValueError(f"there is nothing to prepare for {script.name}")
        return Preparation(task, self._discard, self._manager.distrust)

    async def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            process.cancel()
        await asyncio.gather(*self._processes.values())
        self._threads.shutdown(wait=False, cancel_futures=True)

    # One script

    async def _prepare(self, script: GitScript, listener: PreparationListener) -> Prepared:
        environment = await self._acquire(script, listener)
        packages = None
        try:
            header, note = await self._in_thread(package_source, script, environment.source)
            if header is not None:
                packages = await self._packages_of_header(header, listener)
            elif script.create_env:
                await self._provide_packages(environment, listener)
                packages = environment
            copy = await self._copy(environment)
        except BaseException:
            self._release(environment, packages)
            raise
        for each in (*read_notes(environment.source), *filter(None, [note])):
            listener.progressed(each)
            listener.wrote(f"{each}\n".encode())
        python = None if packages is None else packages.python
        prepared = PreparedScript(find_script(script, copy), python, environment.commit)
        return Prepared(prepared, environment, packages, copy)

    async def _acquire(self, script: GitScript, listener: PreparationListener) -> Environment:
        """Return the environment of a script, with its files as they are in the repository.

        It is kept until it is released.
        """
        check_place(script)
        self._being_checked_out += 1
        try:
            environment = await self._check_out(script.git_args, listener)
            self._manager.acquire(environment)
        finally:
            self._being_checked_out -= 1
            self._discard_surplus()
        try:
            if not await self._in_thread(self._inventories.source_is_unchanged, environment):
                listener.progressed("The files of the commit were changed, and are checked out again")
                await self._until_unused(environment)
                self._remove(self._manager.give_up(environment))
                args = script.git_args
                await self._check_out(GitArgs(args.git_repo, args.git_branch, environment.commit), listener)
            find_script(script, environment.source)
        except BaseException:
            self._release(environment)
            raise
        return environment

    async def describe(
        self, script: ExecutableScript, path: Path | None, listener: PreparationListener
    ) -> str:
        """Return the description of a script, read by a process of its own: that may take long.

        :param script: the script; one from git is fetched
        :param path: its file, all links resolved; None if it has not been fetched
        :param listener: called with the progress
        :returns: a `ScriptDescription` as JSON
        :raises PreparationError: if it cannot be fetched, or described
        """
        environment = await self._acquire(script, listener) if isinstance(script, GitScript) else None
        try:
            if environment is not None and isinstance(script, GitScript):
                path = find_script(script, environment.source)
            scratch = self._manager.scratch()
            step = DescribeStep(script, path, self._script_size_limit, scratch)
            return await self._share(scratch, step, lambda result: None, listener)
        finally:
            if environment is not None:
                self._release(environment)

    async def _copy(self, environment: Environment) -> Path:
        """Return a copy of a checkout: changes by a procedure do not affect others."""
        copy = self._manager.copy()
        copying = self._loop.run_in_executor(self._threads, _copy_folder, environment.source, copy)
        try:
            await asyncio.shield(copying)
        except BaseException:
            copying.add_done_callback(lambda _: self._remove(copy))
            raise
        return copy

    async def _provide_packages(
        self, environment: Environment, listener: PreparationListener, header: str | None = None
    ) -> None:
        """Build a Python environment, if there is none, or if a script has changed it.

        :param environment: the environment
        :param listener: called with the progress
        :param header: the script's header that names the packages, if it is not from git
        :raises PreparationError: if a script has changed it, and others use it
        """
        if environment.created.is_set():
            if await self._in_thread(self._inventories.packages_are_unchanged, environment):
                return
            listener.progressed("The Python environment was changed, and is created again")
            await self._until_unused(environment)
            self._manager.distrust(environment)
        await self._build(environment, listener, header)

    async def _until_unused(self, environment: Environment) -> None:
        """Wait until no other procedure uses an environment. One that has just ended may still do so.

        :raises PreparationError: if one continues to use it
        """
        try:
            async with asyncio.timeout(_RELEASE_TIME):
                while self._manager.users(environment) > 1:
                    self._released.clear()
                    await self._released.wait()
        except TimeoutError:
            raise PreparationError(
                "The files or packages of this commit were changed by a script, and other procedures use "
                "them. Stop those that have this commit, then create the procedure again."
            ) from None

    async def _in_thread(self, function: Callable[[Unpack[Ts]], T], *arguments: *Ts) -> T:
        return await self._loop.run_in_executor(self._threads, function, *arguments)

    async def _prepare_packages(self, header: ScriptHeader, listener: PreparationListener) -> Prepared:
        packages = await self._packages_of_header(header, listener)
        return Prepared(PreparedScript(None, packages.python, None), None, packages, None)

    async def _packages_of_header(self, header: ScriptHeader, listener: PreparationListener) -> Environment:
        """Return the environment that a header describes, for one more procedure."""
        environment = self._manager.script_environment(header.digest)
        self._manager.acquire(environment)
        try:
            await self._provide_packages(environment, listener, header.text)
        except BaseException:
            self._release(environment)
            raise
        return environment

    async def _check_out(self, args: GitArgs, listener: PreparationListener) -> Environment:
        """Return the environment of the requested commit, with the files in place."""
        if args.full_hash is not None:
            known = self._manager.environment(args.repository, args.full_hash)
            if known.checked_out:
                return known
        mirror = self._manager.mirror(args.repository)
        step = CheckOutStep(args, mirror, self._manager.environments, self._manager.scratch())

        def adopt(commit: str) -> None:
            environment = self._manager.environment(args.repository, commit)
            if not environment.checked_out:
                self._manager.adopt(step.target, environment)
                self._inventories.learn(environment.source)

        commit = await self._share(args, step, adopt, listener)
        return self._manager.environment(args.repository, commit)

    async def _build(
        self, environment: Environment, listener: PreparationListener, header: str | None = None
    ) -> None:
        """Build the Python environment of a commit, or of the header of a script."""
        packages, scratch = self._manager.packages, self._manager.scratch()
        step = BuildStep(environment, packages, self._packages_limit, scratch, header)
        folders = (environment.source, environment.prefix)
        await self._share(environment, step, lambda _: self._inventories.learn(*folders), listener)

    def _discard(self, prepared: Prepared) -> None:
        if prepared.copy is not None:
            self._remove(prepared.copy)
        self._release(prepared.checkout, prepared.packages)

    def _release(self, *environments: Environment | None) -> None:
        for environment in set(environments):
            if environment is not None:
                self._manager.release(environment)
        self._released.set()
        self._discard_surplus()

    def _discard_surplus(self) -> None:
        if self._being_checked_out:
            # The environments that these use are not known to the manager yet.
            return
        try:
            surplus = self._manager.discard_surplus()
        except OSError:
            LOGGER.exception("Surplus environments could not be removed")
            return
        for path in surplus:
            self._remove(path)

    # One step

    async def _share(
        self,
        key: Hashable,
        step: Step,
        on_result: Callable[[str], None],
        listener: PreparationListener,
    ) -> str:
        """Do a step, or wait for the process that is doing the same already, and return the result.

        :param key: the same for steps that are the same
        :param step: the step
        :param on_result: called with the result before anything else works on the same place
        :param listener: called with the progress
        :raises PreparationError: if it failed
        """
        process = self._joinable.get(key)
        if process is None or process.cancelled:
            process = self._joinable[key] = StepProcess(self._timeout)
            self._processes[process] = self._loop.create_task(self._do(key, process, step, on_result))
        process.join(listener)
        try:
            return await asyncio.shield(process.done)
        finally:
            process.leave(listener)

    async def _do(
        self,
        key: Hashable,
        process: StepProcess,
        step: Step,
        on_result: Callable[[str], None],
    ) -> None:
        """Do a step as soon as no other works on the same place."""
        error: Exception | None = None
        try:
            async with self._lock(step.place), self._slots[type(step)]:
                if step.may_change:
                    # A preparation that begins now may need a commit that was pushed after this fetch.
                    self._close_to_others(key, process)
                if not process.cancelled:
                    await self._run(process, step)
                if process.result is not None:
                    on_result(process.result)
        except Exception as raised:  # any exception must fail the preparations that wait
            error = raised
        finally:
            self._close_to_others(key, process)
            del self._processes[process]
            self._remove(step.scratch)
            process.conclude(error)

    async def _run(self, process: StepProcess, step: Step) -> None:
        self._started += 1
        name = f"preparation-{self._started}"
        async with self._packages.in_use() if isinstance(step, BuildStep) else nullcontext():
            await process.follow(await self._starter.start(name, StepWorker, step, dict(os.environ)))

    def _put_away(self, folder: Path) -> None:
        """Remove a folder whose name must be free at once. Called by a thread."""
        aside = folder.rename(self._manager.scratch())
        self._loop.call_soon_threadsafe(self._remove, aside)

    def _close_to_others(self, key: Hashable, process: StepProcess) -> None:
        """Let no further preparation join a process."""
        if self._joinable.get(key) is process:
            del self._joinable[key]

    def _lock(self, place: Hashable) -> asyncio.Lock:
        lock = self._locks.get(place)
        if lock is None:
            lock = self._locks[place] = asyncio.Lock()
        return lock


def _copy_folder(source: Path, target: Path) -> None:
    """Copy a folder, with its links as links."""
    shutil.copytree(source, target, symlinks=True)
