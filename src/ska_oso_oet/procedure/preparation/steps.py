"""The steps of a preparation, and the child process that does one step and ends.

Git and the tools that build environments run as its children, so that it can be killed with all of them,
and none of them outlives the server.
"""

import os
import shutil
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from ska_oso_oet.model import GitArgs
from ska_oso_oet.mptools import EventMessage, QueueProcWorker, SignalObject

from ..domain.errors import ScriptError
from ..environment import Environment, environment_of
from ..gitmanager import (
    GitError,
    Report,
    UnknownRevisionError,
    check_out,
    find_commit,
    is_sound,
    prepare_process,
)
from ..worker.stdio import redirect_stdio
from . import uv_builder
from .inventory import record_source
from .mirrors import ForgedMirrorError, restore_settings, verify_commit
from .projects import BuildError, Project, read_project

_HEADER_FILE = "script.py"
"""Name of the file that uv reads the header of a script from."""


class StepMessage(StrEnum):
    """Kinds of messages that a process sends about its step. The payload is a text."""

    PROGRESS = "PROGRESS"
    """The step has progressed; the text is the progress."""
    RESULT = "RESULT"
    """The step is complete; its result."""
    FAILURE = "FAILURE"
    """The step has failed; the reason."""


class Step(Protocol):
    """One step of a preparation."""

    @property
    def place(self) -> Hashable:
        """Object of the step: no other step works on the same at the same time."""

    @property
    def scratch(self) -> Path:
        """Folder that is removed when the step has ended."""

    @property
    def may_change(self) -> bool:
        """Whether the same step, begun later, may have another result."""

    def run(self, report: Report) -> str:
        """Do the step, in a process of its own.

        :param report: called with the progress
        :returns: the result
        :raises Exception: if it cannot be done; the message of a GitError or BuildError says why
        """


@dataclass(frozen=True)
class CheckOutStep:
    """Get the files of a commit. The result is its full hash.

    :param args: repository and commit
    :param mirror: the repository's mirror
    :param environments: folder of the environments; one that is there already has the files
    :param target: where the files go; it does not exist
    """

    args: GitArgs
    mirror: Path
    environments: Path
    target: Path

    @property
    def place(self) -> Hashable:
        """The mirror."""
        return self.mirror

    @property
    def scratch(self) -> Path:
        """The target, as far as the files have not been moved from there."""
        return self.target

    @property
    def may_change(self) -> bool:
        """Whether the commit is named by something that may move."""
        return self.args.full_hash is None

    def run(self, report: Report) -> str:
        """See `Step.run`."""
        prepare_process()
        try:
            return self._get(report)
        except UnknownRevisionError:
            raise
        except ForgedMirrorError as error:
            report(str(error))
        except GitError:
            if not self.mirror.exists() or is_sound(self.mirror):
                raise
        # A power cut, or a disk, may damage it, and it would stay damaged.
        report(f"The mirror of {self.args.repository} is damaged, and is created again")
        shutil.rmtree(self.mirror)
        shutil.rmtree(self.target, ignore_errors=True)
        return self._get(report)

    def _get(self, report: Report) -> str:
        restore_settings(self.mirror)
        commit = find_commit(self.args, self.mirror, report)
        environment = environment_of(self.environments, self.args.repository, commit)
        if not environment.checked_out:
            verify_commit(self.mirror, commit)
            check_out(commit, self.mirror, self.target, report, self.args.repository)
            record_source(environment, self.target)
        return commit


@dataclass(frozen=True)
class BuildStep:
    """Build a Python environment. The result is the path of its interpreter.

    :param environment: the environment, with the files of a repository; or with none, for a script that
        names its requirements itself
    :param packages: folder of packages that may be needed again
    :param packages_limit: bytes that these may have together
    :param temporary: folder for temporary files; it does not exist
    :param header: header of a script that names its requirements itself, see `ScriptHeader`; None for the
        project in the repository
    """

    environment: Environment
    packages: Path
    packages_limit: int
    temporary: Path
    header: str | None = None

    @property
    def place(self) -> Hashable:
        """The environment."""
        return self.environment

    @property
    def scratch(self) -> Path:
        """The folder for temporary files."""
        return self.temporary

    @property
    def may_change(self) -> bool:
        """An environment is built once."""
        return False

    def run(self, report: Report) -> str:
        """See `Step.run`."""
        # Another step may have completed it while this one waited, and a script may be using it.
        if not self.environment.created.is_set():
            # Requirements of a project may be in git, too.
            prepare_process()
            uv_builder.prepare_process(self.packages, self.temporary)
            uv_builder.build(self.environment, self._project(), report)
            uv_builder.limit_packages(self.packages, self.packages_limit)
        return str(self.environment.python)

    def _project(self) -> Project:
        """Return the requirements."""
        if self.header is None:
            return read_project(self.environment.source)
        self.environment.source.mkdir(parents=True, exist_ok=True)
        (self.environment.source / _HEADER_FILE).write_text(self.header, encoding="utf-8")
        return Project(files=(_HEADER_FILE,))


class StepWorker(QueueProcWorker):
    """Does one step, and sends its progress and its result.

    :param step: the step
    :param variables: environment variables of the server, which may have changed since the forkserver started
    :param output: where standard output and standard error go
    """

    def init_args(
        self, step: Step, variables: Mapping[str, str], *args: Any, output: Connection, **kwargs: Any
    ) -> None:
        """Receive the arguments of this class."""
        super().init_args(*args, **kwargs)
        self._step = step
        self._variables = variables
        self._output = output

    def init_signals(self) -> SignalObject:
        """Leave the signals as they are: this process is ended by SIGKILL, and has nothing to clean up."""
        return SignalObject(self.shutdown_event)

    def startup(self) -> None:
        """Take over standard output and the server's environment variables."""
        redirect_stdio(self._output)
        os.environ.clear()
        os.environ.update(self._variables)

    def main_loop(self) -> None:
        """Do the step."""
        try:
            result = self._step.run(lambda text: self._send(StepMessage.PROGRESS, text))
        except (GitError, BuildError, ScriptError) as error:
            self._send(StepMessage.FAILURE, str(error))
        except Exception as error:  # any exception must fail the preparations that wait
            self.log.exception("The preparation failed")
            self._send(StepMessage.FAILURE, f"{type(error).__name__}: {error}")
        else:
            self._send(StepMessage.RESULT, result)

    def _send(self, kind: StepMessage, text: str) -> None:
        self.event_q.put(EventMessage(self.name, kind, text))
