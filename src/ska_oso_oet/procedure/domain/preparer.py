"""The child process that prepares what a git script needs: one step, then it ends.

Git and the tools that build environments run as its children, so that it can be killed with all of them,
and none of them outlives the server.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from ska_oso_oet.mptools import EventMessage, QueueProcWorker, SignalObject

from .. import uv_builder
from ..environment import Environment, environment_of
from ..gitmanager import (
    GitArgs,
    GitError,
    Report,
    UnknownRevision,
    check_out,
    find_commit,
    is_sound,
    prepare_process,
)
from ..uv_builder import BuildError
from .protocol import FromWorker
from .stdio import redirect_stdio


class Step(Protocol):
    """What a process is made for."""

    def run(self, report: Report) -> str:
        """Do it.

        :param report: told of progress
        :returns: what others need to know of it
        :raises Exception: if it cannot be done; of a GitError or BuildError the message says all
        """


@dataclass(frozen=True)
class CheckOut:
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

    def run(self, report: Report) -> str:
        """See `Step.run`."""
        prepare_process()
        try:
            return self._get(report)
        except UnknownRevision:
            raise
        except GitError:
            if not self.mirror.exists() or is_sound(self.mirror):
                raise
        # A power cut, or a disk, may leave it so; without help it would stay so for ever.
        report(f"The mirror of {self.args.repository} is damaged, and made anew")
        shutil.rmtree(self.mirror)
        shutil.rmtree(self.target, ignore_errors=True)
        return self._get(report)

    def _get(self, report: Report) -> str:
        commit = find_commit(self.args, self.mirror, report)
        if not environment_of(self.environments, self.args.repository, commit).checked_out:
            check_out(commit, self.mirror, self.target, report)
        return commit


@dataclass(frozen=True)
class Build:
    """Build the Python environment of a project. The result is the path of its interpreter.

    :param environment: the environment, with its files
    :param packages: folder of packages that may be needed again
    :param packages_limit: bytes that these may have together
    :param temporary: folder for temporary files; it does not exist
    """

    environment: Environment
    packages: Path
    packages_limit: int
    temporary: Path

    def run(self, report: Report) -> str:
        """See `Step.run`."""
        # Somebody may have completed it while this waited for its turn, and may be using it.
        if not self.environment.created:
            # What a project requires may be in git, too.
            prepare_process()
            uv_builder.prepare_process(self.packages, self.temporary)
            uv_builder.build(self.environment, report)
            uv_builder.limit_packages(self.packages, self.packages_limit)
        return str(self.environment.python)


class PreparationWorker(QueueProcWorker):
    """Does one step, and tells its manager what comes of it.

    :param step: the step
    :param variables: environment variables of the server, which may have changed since the forkserver began
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
        """Leave the signals as they are: this process is ended by force, and has nothing to clean up."""
        return SignalObject(self.shutdown_event)

    def startup(self) -> None:
        """Take over standard output and the server's environment variables."""
        redirect_stdio(self._output)
        os.environ.clear()
        os.environ.update(self._variables)

    def main_loop(self) -> None:
        """Do the step."""
        try:
            result = self._step.run(lambda text: self._tell(FromWorker.PROGRESS, text))
        except (GitError, BuildError) as error:
            self._tell(FromWorker.FAILURE, str(error))
        except Exception as error:  # whatever it is, those who wait must learn of it
            self.log.exception("The preparation failed")
            self._tell(FromWorker.FAILURE, f"{type(error).__name__}: {error}")
        else:
            self._tell(FromWorker.RESULT, result)

    def _tell(self, kind: FromWorker, text: str) -> None:
        self.event_q.put(EventMessage(self.name, kind, text))
