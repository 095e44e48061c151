"""The preparation of a script, and its result."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ..environment import Environment


class PreparedScript(NamedTuple):
    """Result of a preparation.

    :param path: file of a script from git, all links resolved
    :param python: interpreter that it needs, None for that of the server
    :param commit: hash of the commit that a script from git is of
    """

    path: Path | None
    python: Path | None
    commit: str | None


class Prepared(NamedTuple):
    """A prepared script, with the resources to release when it is no longer needed."""

    script: PreparedScript
    checkout: Environment | None
    """The files of the commit, None if it is not from git."""
    packages: Environment | None
    """The Python environment, None if it needs none."""
    copy: Path | None
    """The procedure's own copy of the checkout, None if there is no checkout."""


class Preparation:
    """The preparation of one script. Its result is kept until `close`.

    :param task: prepares the script
    :param release: called with the resources when they are no longer needed
    :param distrust: called with the environment if it is not usable
    """

    def __init__(
        self,
        task: "asyncio.Task[Prepared]",
        release: Callable[["Prepared"], None],
        distrust: Callable[[Environment], None],
    ) -> None:
        self._task = task
        self._release = release
        self._distrust = distrust

    def add_done_callback(self, callback: Callable[["Preparation"], None]) -> None:
        """Call a function when the preparation is complete or has failed; not after `close`."""
        self._task.add_done_callback(lambda task: None if task.cancelled() else callback(self))

    def result(self) -> PreparedScript:
        """Return the result.

        :raises PreparationError: if that has failed
        """
        return self._task.result().script

    def distrust(self) -> None:
        """Mark the environment, if there is one, as unusable."""
        if (prepared := self._prepared) is not None and prepared.packages is not None:
            self._distrust(prepared.packages)

    def close(self) -> None:
        """Release the resources, or cancel the preparation."""
        if not self._task.done():
            self._task.cancel()
        elif (prepared := self._prepared) is not None:
            self._release(prepared)

    @property
    def _prepared(self) -> "Prepared | None":
        """The resources, None if there are none."""
        task = self._task
        done = task.done() and not task.cancelled() and task.exception() is None
        return task.result() if done else None
