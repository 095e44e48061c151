"""The Python environment of a script that names the packages that it needs in its header (PEP 723)."""

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from ska_oso_oet.procedure.domain.requirements import ScriptHeader, read_header
from ska_oso_oet.procedure.domain.source import read_beginning
from ska_oso_oet.procedure.environment import Environment, EnvironmentManager
from ska_oso_oet.procedure.preparation.inventory import Inventories
from ska_oso_oet.procedure.preparation.steps import BuildStep
from ska_oso_oet.procedure.worker import interpreter

_KEPT = 20
"""How many environments are kept, those that were used last."""

_PACKAGES_LIMIT = 10_000_000_000
"""Bytes that packages for further environments may have together."""


def enter(script: Path, program: str, words: Sequence[str]) -> None:
    """Continue under the interpreter that a script needs; does nothing if that is the present one.

    The environment is built as those of the OET are, and kept.

    :param script: file of the script
    :param program: module of the program to run there
    :param words: its command line
    :raises ScriptError: if the script cannot be read, or its header cannot be used
    :raises BuildError: if the environment cannot be built
    :raises OSError: if it cannot be stored
    """
    header = read_header(read_beginning(script), script.name)
    if header is not None:
        environment = _provide(header)
        sys.stdout.flush()
        interpreter.go_on(environment.python, program, words)


def _provide(header: ScriptHeader) -> Environment:
    """Return the environment that a header describes, complete."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ska-oso-oet"
    folder.mkdir(parents=True, exist_ok=True)
    manager = EnvironmentManager(folder, _KEPT)
    environment = manager.script_environment(header.digest)
    with _alone(folder):
        manager.acquire(environment)
        if not (environment.created.is_set() and Inventories().packages_are_unchanged(environment)):
            environment.created.clear()
            step = BuildStep(environment, manager.packages, _PACKAGES_LIMIT, manager.scratch(), header.text)
            with _own_variables(), redirect_stdout(sys.stderr):  # standard output belongs to the script
                step.run(_report)
        for path in (*manager.leftovers(), *manager.discard_surplus()):
            shutil.rmtree(path, ignore_errors=True)
    return environment


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock the environments: other runs wait."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def _own_variables() -> Iterator[None]:
    """Undo the changes of the environment variables."""
    variables = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(variables)


def _report(text: str) -> None:
    sys.stderr.write(f"[oet] {text}\n")
