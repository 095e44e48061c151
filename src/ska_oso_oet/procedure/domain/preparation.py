"""Prepares what git scripts need, once for all who wait for it. Runs in the message loop's thread.

Every step is done by a process of its own, see `preparer`. Whoever needs what is being done already
waits for it too; a step that nobody waits for any more is ended.
"""

import asyncio
import functools
import logging
import os
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from ska_oso_oet.mptools import MainContext
from ska_oso_oet.mptools.threads import full_pool

from ..environment import Environment, EnvironmentManager
from ..gitmanager import GitArgs
from .channel import WorkerChannel, start_worker
from .job import Audience, Job, PreparationFailed
from .preparer import Build, CheckOut, PreparationWorker
from .removal import remove_tree
from .repositories import check_place
from .scripts import GitScript
from .settings import ExecutorSettings

LOGGER = logging.getLogger(__name__)

_MAX_BUILDS = 4
"""How many environments are built at the same time; more would only slow each other and the scripts down."""

_MAX_CHECK_OUTS = 16
"""How many commits are looked for at the same time. That is mostly waiting for servers, some of which may be
dead: those must not keep the others waiting."""

_THREADS = 4
"""How many processes are started, or cleaned up after, at the same time; that takes milliseconds."""


class Prepared(NamedTuple):
    """What has been prepared for a script.

    :param path: file of the script, all links resolved
    :param python: interpreter that it needs, None for that of the server
    """

    path: Path
    python: Path | None


class Preparation:
    """What is prepared for one script, and kept until that is closed.

    :param task: what prepares it
    :param release: called with the environment, once it is needed no longer
    :param distrust: called with the environment, should it turn out not to be usable
    """

    def __init__(
        self,
        task: "asyncio.Task[tuple[Prepared, Environment]]",
        release: Callable[[Environment], None],
        distrust: Callable[[Environment], None],
    ) -> None:
        self._task = task
        self._release = release
        self._distrust = distrust

    def add_done_callback(self, callback: Callable[["Preparation"], None]) -> None:
        """Have a function called when the preparation is complete or has failed; not after `close`."""
        self._task.add_done_callback(lambda task: None if task.cancelled() else callback(self))

    def result(self) -> Prepared:
        """Return what has been prepared.

        :raises PreparationFailed: if that has failed
        """
        return self._task.result()[0]

    def distrust(self) -> None:
        """Note that what was prepared is not usable. If nothing has been, there is nothing to note."""
        if (environment := self._environment) is not None:
            self._distrust(environment)

    def close(self) -> None:
        """Let go of what was prepared; if it has not been yet, it no longer needs to be."""
        if not self._task.done():
            self._task.cancel()
        elif (environment := self._environment) is not None:
            self._release(environment)

    @property
    def _environment(self) -> Environment | None:
        """What has been prepared, None if nothing has."""
        task = self._task
        done = task.done() and not task.cancelled() and task.exception() is None
        return task.result()[1] if done else None


class Preparations:
    """Prepares what git scripts need. All methods are called in the message loop's thread.

    :param context: makes the processes
    :param settings: how scripts are executed
    """

    def __init__(self, context: MainContext, settings: ExecutorSettings) -> None:
        self._context = context
        self._timeout = settings.environment_timeout
        self._packages_limit = settings.packages_limit
        self._manager = EnvironmentManager(settings.state_directory / "git", settings.environment_limit)
        self._loop = asyncio.get_running_loop()
        self._executor = full_pool(_THREADS, "oet-preparation")
        # On its own: nobody who waits for a process shall wait for a disk.
        self._remover = full_pool(1, "oet-removal")
        self._joinable: dict[Hashable, Job] = {}
        self._jobs: dict[Job, asyncio.Task[None]] = {}
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._slots = {
            Build: asyncio.Semaphore(_MAX_BUILDS),
            CheckOut: asyncio.Semaphore(_MAX_CHECK_OUTS),
        }
        self._being_checked_out = 0
        self._made = 0
        self._remove(self._manager.leftovers())

    def begin(self, script: GitScript, audience: Audience) -> Preparation:
        """Begin to prepare what a script needs.

        :param script: the script
        :param audience: told of progress
        """
        task = self._loop.create_task(self._prepare(script, audience))
        return Preparation(task, self._release, self._manager.distrust)

    async def close(self) -> None:
        """End all that is under way."""
        for job in self._jobs:
            job.abandon()
        await asyncio.gather(*self._jobs.values())
        self._executor.shutdown(wait=False)
        self._remover.shutdown(wait=False, cancel_futures=True)

    # One script

    async def _prepare(self, script: GitScript, audience: Audience) -> tuple[Prepared, Environment]:
        check_place(script)
        self._being_checked_out += 1
        try:
            environment = await self._check_out(script.git_args, audience)
            self._manager.acquire(environment)
        finally:
            self._being_checked_out -= 1
            self._discard_surplus()
        try:
            path = _find(script, environment)
            if script.create_env and not environment.created:
                await self._build(environment, audience)
        except BaseException:
            self._release(environment)
            raise
        return Prepared(path, environment.python if script.create_env else None), environment

    async def _check_out(self, args: GitArgs, audience: Audience) -> Environment:
        """Return the environment of the commit that is asked for, with the files in place."""
        if args.full_hash is not None:
            known = self._manager.environment(args.repository, args.full_hash)
            if known.checked_out:
                return known
        target = self._manager.scratch()

        def adopt(commit: str) -> None:
            self._manager.adopt(target, self._manager.environment(args.repository, commit))

        mirror = self._manager.mirror(args.repository)
        step = CheckOut(args, mirror, self._manager.environments, target)
        work = _Work(step, mirror, adopt, target, names_may_move=args.full_hash is None)
        commit = await self._share(args, work, audience)
        return self._manager.environment(args.repository, commit)

    async def _build(self, environment: Environment, audience: Audience) -> None:
        """Build the Python environment of a commit."""
        temporary = self._manager.scratch()
        step = Build(environment, self._manager.packages, self._packages_limit, temporary)
        await self._share(environment, _Work(step, environment.env_id, scratch=temporary), audience)

    def _release(self, environment: Environment) -> None:
        self._manager.release(environment)
        self._discard_surplus()

    def _discard_surplus(self) -> None:
        if self._being_checked_out:
            # What is used for that is not known to the manager yet.
            return
        try:
            self._remove(self._manager.discard_surplus())
        except OSError:
            LOGGER.exception("Environments that are too many could not be removed")

    def _remove(self, paths: list[Path]) -> None:
        for path in paths:
            self._remover.submit(remove_tree, path)

    # One step

    async def _share(self, key: Hashable, work: "_Work", audience: Audience) -> str:
        """Have something done, or join those who wait for it already, and return the result.

        :raises PreparationFailed: if it failed
        """
        job = self._joinable.get(key)
        if job is None or job.abandoned:
            job = self._joinable[key] = Job(self._timeout)
            self._jobs[job] = self._loop.create_task(self._do(key, job, work))
        job.join(audience)
        try:
            return await asyncio.shield(job.done)
        finally:
            job.leave(audience)

    async def _do(self, key: Hashable, job: Job, work: "_Work") -> None:
        """Do what a job is for, when nobody else does anything in the same place."""
        error: Exception | None = None
        try:
            async with self._lock(work.place), self._slots[type(work.step)]:
                if work.names_may_move:
                    # Who comes now may want a commit that came later than this look at the repository.
                    self._no_longer_joinable(key, job)
                if not job.abandoned:
                    await self._run(job, work)
        except Exception as raised:  # whatever it is, those who wait must learn of it
            error = raised
        finally:
            self._no_longer_joinable(key, job)
            del self._jobs[job]
            if work.scratch is not None:
                self._remove([work.scratch])
            job.conclude(error)

    async def _run(self, job: Job, work: "_Work") -> None:
        self._made += 1
        start = functools.partial(
            start_worker, self._context, f"preparation-{self._made}", PreparationWorker, work.step
        )
        ends = await self._loop.run_in_executor(self._executor, start, dict(os.environ))
        await job.attend(WorkerChannel(self._context, *ends, self._executor))
        if job.result is not None:
            work.on_result(job.result)

    def _no_longer_joinable(self, key: Hashable, job: Job) -> None:
        if self._joinable.get(key) is job:
            del self._joinable[key]

    def _lock(self, place: Hashable) -> asyncio.Lock:
        lock = self._locks.get(place)
        if lock is None:
            lock = self._locks[place] = asyncio.Lock()
        return lock


class _Work(NamedTuple):
    """A step, and what it needs around it.

    :param step: what a process is to do
    :param place: nothing else is done in this place meanwhile
    :param on_result: called with the result
    :param scratch: removed in the end
    :param names_may_move: whether the same step, begun later, may have another result
    """

    step: CheckOut | Build
    place: Hashable
    on_result: Callable[[str], None] = lambda result: None
    scratch: Path | None = None
    names_may_move: bool = False


def _find(script: GitScript, environment: Environment) -> Path:
    """Return the file of a script, with all links resolved.

    :raises PreparationFailed: if it is not among the files of its repository
    """
    args = script.git_args
    top = environment.source.resolve()
    path = (top / script.path).resolve()
    if not path.is_relative_to(top) or not path.is_file():
        raise PreparationFailed(
            f"The repository {args.repository} has no file '{script.path}' at {args.revision}: "
            "check the path, which begins at the top of the repository."
        )
    return path
