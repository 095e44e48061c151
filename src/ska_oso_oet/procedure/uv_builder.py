"""Builds Python environments with uv. Runs in a process of its own: it takes seconds to minutes."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import interpreter
from .environment import Environment
from .gitmanager import Report

_PROJECT_FILE = "pyproject.toml"
_REQUIREMENTS = "requirements.txt"
_COMPLAINT = re.compile(r"\s*(error:|×)")
"""Begins what uv says about a failure; all that follows belongs to it."""

_MAX_COMPLAINT = 600
_CACHE_VARIABLE = "UV_CACHE_DIR"


class BuildError(RuntimeError):
    """An environment could not be built. The message says in which step, and what to do."""


def build(environment: Environment, report: Report) -> None:
    """Build the Python environment that the project of a repository describes.

    What the tools say goes to standard output and standard error.

    :param environment: its files are there; what is left of an earlier, incomplete build is removed
    :param report: told of progress
    :raises BuildError: if it cannot be built
    """
    what = _what_to_install(environment.source)
    environment.unmark()
    shutil.rmtree(environment.prefix, ignore_errors=True)
    report("Creating a Python environment")
    # Of this Python: packages of the server are used there too, and some are made for one version only.
    _uv(environment, ["venv", "--no-project", "--python", sys.executable, str(environment.prefix)])
    report(f"Installing {what[-1]} and what it requires")
    _uv(environment, ["pip", "install", "--python", str(environment.python), *what])
    report("Trying the environment out")
    try:
        interpreter.check(environment.python)
    except subprocess.CalledProcessError as error:
        raise BuildError(
            "The environment was built, but the OET cannot work with the versions of packages that it has "
            "(see below): have the project require others."
        ) from error
    environment.mark_created()


def prepare_process(packages: Path, temporary: Path) -> None:
    """Let whatever builds an environment leave nothing behind where nobody would look for it.

    :param packages: folder for packages that may be needed again, where the site has not chosen one
    :param temporary: new folder for temporary files; for the caller to remove
    """
    temporary.mkdir(parents=True)
    os.environ.setdefault(_CACHE_VARIABLE, str(packages))
    os.environ["TMPDIR"] = str(temporary)
    # Not links: what a script does to a file of its environment must not reach others.
    os.environ["UV_LINK_MODE"] = "copy"


def limit_packages(packages: Path, limit: int) -> None:
    """Remove all packages that are kept for later, if they are too many.

    Environments lose nothing. If another one is just being built, nothing is removed.

    :param packages: their folder; one that the site has chosen is left to the site
    :param limit: bytes that they may have together
    """
    if os.environ[_CACHE_VARIABLE] == str(packages) and _size(packages) > limit:
        subprocess.run(_command(["cache", "clean"]), env={**os.environ, "UV_LOCK_TIMEOUT": "1"}, check=False)


def _size(folder: Path) -> int:
    """Return how many bytes the files in a folder have, roughly: others may be removing some."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(parent, name)).st_size
    return size


def _what_to_install(source: Path) -> Sequence[str]:
    """Return the arguments by which uv installs a project.

    :raises BuildError: if there is no project
    """
    described = _described(source / _PROJECT_FILE)
    if _is_no_package(described):
        return ["--requirements", _PROJECT_FILE]
    if _is_project(described) or (source / "setup.py").is_file():
        return ["."]
    if (source / _REQUIREMENTS).is_file():
        return ["--requirements", _REQUIREMENTS]
    raise BuildError(
        f"The repository describes no environment: it has neither {_PROJECT_FILE} nor {_REQUIREMENTS} "
        "at its top. Create the procedure without create_env."
    )


def _described(path: Path) -> dict[str, Any]:
    """Return what is in a project file, nothing if there is none.

    :raises BuildError: if it cannot be read
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise BuildError(f"The repository's {path.name} cannot be read: {error}.") from error


def _is_project(described: dict[str, Any]) -> bool:
    """Return whether a project file describes a package, rather than only settings of tools."""
    return "project" in described or "build-system" in described or "poetry" in described.get("tool", {})


def _is_no_package(described: dict[str, Any]) -> bool:
    """Return whether a project file says that the project has requirements, and is no package itself.

    The words for that are those of uv and of poetry.
    """
    tools = described.get("tool", {})
    says_no = (
        tools.get("uv", {}).get("package") is False or tools.get("poetry", {}).get("package-mode") is False
    )
    return says_no and "project" in described


def _uv(environment: Environment, arguments: Sequence[str]) -> None:
    variables = interpreter.environment_of(environment.python)
    complaint: list[str] = []
    with subprocess.Popen(
        _command(arguments),
        cwd=environment.source,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None, "it is a pipe"  # noqa: S101
        for line in process.stdout:
            sys.stdout.write(line)
            if complaint or _COMPLAINT.match(line):
                complaint.append(line)
    if process.returncode != 0:
        reason = textwrap.shorten(" ".join(complaint), _MAX_COMPLAINT, placeholder=" …")
        raise BuildError(
            f"The environment could not be built: {reason or f'uv ended with status {process.returncode}'} "
            f"(uv {' '.join(arguments)}). Mend the project, or try again if it was the network."
        )


def _command(arguments: Sequence[str]) -> list[str]:
    # Imported late: what only looks environments up does not need it.
    import uv

    return [uv.find_uv_bin(), "--no-python-downloads", "--no-progress", "--color", "never", *arguments]
