"""Builds Python environments with uv. Runs in a process of its own: it takes seconds to minutes."""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from ..domain.requirements import fits_python
from ..environment import Environment
from ..gitmanager import Report
from ..worker import interpreter
from . import inventory
from .projects import BuildError, Project

_COMPLAINT = re.compile(r"\s*(error:|×)")
"""Beginning of uv's report of a failure; all that follows belongs to it."""

_MAX_COMPLAINT = 600

_UNSOLVABLE = 1
"""Exit status of uv if requirements do not fit together; 2 is for other errors."""

_CACHE_VARIABLE = "UV_CACHE_DIR"

_CHECKOUT = "_oet_checkout.pth"
"""Name of the file by which Python finds the modules in the files of a repository."""

_EXPORT = ("export", "--frozen", "--no-hashes", "--no-emit-project", "--no-default-groups", "--no-header")
"""Arguments by which uv writes a lock file as a requirements file."""


class UnsolvableError(BuildError):
    """There are no versions of packages that fit all requirements, as far as is known."""


def build(environment: Environment, project: Project, report: Report) -> None:
    """Build the Python environment that a project needs.

    The output of the tools goes to standard output and standard error.

    :param environment: its files are there; an earlier, incomplete build is removed
    :param project: the requirements
    :param report: called with the progress
    :raises BuildError: if it cannot be built
    """
    _require_python(project)
    environment.created.clear()
    environment.creating.set()
    shutil.rmtree(environment.prefix, ignore_errors=True)
    report("Creating a Python environment")
    # Of this Python: packages of the server are used there too, and some are made for one version only.
    _uv(environment, ["venv", "--no-project", "--python", sys.executable, str(environment.prefix)])
    if project.description:
        report(f"Installing {project.description}")
        _install(environment, project)
    if folders := [environment.source / name for name in project.import_folders]:
        Path(environment.site_packages, _CHECKOUT).write_text("".join(f"{folder}\n" for folder in folders))
    report("Trying the environment out")
    try:
        interpreter.check(environment.python)
    except subprocess.CalledProcessError as error:
        raise BuildError(
            "The environment was built, but the OET cannot work with the versions of packages that it has "
            "(see below): change the requirements of the project."
        ) from error
    inventory.record_packages(environment)
    environment.created.set()
    environment.creating.clear()


def prepare_process(packages: Path, temporary: Path) -> None:
    """Set up this process so that builds of environments write to known folders only.

    :param packages: folder for packages that may be needed again, where the site has not chosen one
    :param temporary: new folder for temporary files; for the caller to remove
    """
    temporary.mkdir(parents=True)
    os.environ.setdefault(_CACHE_VARIABLE, str(packages))
    os.environ["TMPDIR"] = str(temporary)
    # Not links: changes by a script to a file of its environment must not affect others.
    os.environ["UV_LINK_MODE"] = "copy"


def limit_packages(packages: Path, limit: int) -> None:
    """Remove all packages that are kept for later, if they are too many.

    Environments keep their packages. If another one is just being built, nothing is removed.

    :param packages: their folder; one that the site has chosen is left to the site
    :param limit: bytes that they may have together
    """
    if os.environ[_CACHE_VARIABLE] == str(packages) and _size(packages) > limit:
        # Its output does not concern the preparation of the environment.
        variables = {**os.environ, "UV_LOCK_TIMEOUT": "1"}
        subprocess.run(_command(["cache", "clean"]), env=variables, capture_output=True, check=False)


def _size(folder: Path) -> int:
    """Return the approximate size of the files in a folder: others may be removing some."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size += os.lstat(os.path.join(parent, name)).st_size
    return size


def _require_python(project: Project) -> None:
    """Check that a project can be used with the Python of this server.

    :raises BuildError: if it cannot
    """
    if project.requires_python is None:
        return
    try:
        fits = any(map(fits_python, project.requires_python.split("||")))
    except ValueError as error:
        raise BuildError(f"The project's requires-python cannot be understood: {error}.") from error
    if not fits:
        raise BuildError(
            f"The project requires Python {project.requires_python}, but the OET runs Python "
            f"{platform.python_version()}: use a commit that supports that."
        )


def _install(environment: Environment, project: Project) -> None:
    """Install what a project needs.

    :raises BuildError: if that is not possible
    """
    pip = ["pip", "install", "--compile-bytecode", "--python", str(environment.python)]
    common = _common_requirements(project)
    constraints = _constraints(environment, project)
    failure: UnsolvableError | None = None
    for requirements in project.alternatives or [()]:
        file = ["--requirements", _temporary("requirements", requirements)] if requirements else []
        if not [*common, *file]:
            break
        try:
            _uv(environment, [*pip, *common, *file, *constraints])
        except UnsolvableError as error:
            # The first set has the newest versions: the reason why these do not fit is reported.
            failure = failure or error
        else:
            break
    else:
        assert failure is not None, "there is at least one set of requirements"  # noqa: S101
        raise failure
    if project.is_package and not project.is_installable:
        _uv(environment, [*pip, "--no-deps", *_wheels(environment)])


def _wheels(environment: Environment) -> list[str]:
    """Build the package of a project, and return its wheel, with those of its requirements that are valid."""
    folder = Path(tempfile.mkdtemp())
    _uv(environment, ["build", "--wheel", "--python", str(environment.python), "--out-dir", str(folder)])
    wheels = list(folder.glob("*.whl"))
    for wheel in wheels:
        _remove_invalid_requirements(wheel)
    return list(map(str, wheels))


def _remove_invalid_requirements(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        content = [(entry, file.read(entry)) for entry in file.infolist()]
    with zipfile.ZipFile(wheel, "w") as file:
        for entry, data in content:
            if entry.filename.endswith(".dist-info/METADATA"):
                data = b"".join(line for line in data.splitlines(keepends=True) if _is_valid(line))
            file.writestr(entry, data)


def _is_valid(line: bytes) -> bool:
    """Return whether a line of a package's metadata is not an unreadable requirement."""
    from packaging.requirements import InvalidRequirement, Requirement

    name, _, value = line.decode("utf-8", "replace").partition(":")
    try:
        return name.lower() != "requires-dist" or bool(Requirement(value.strip()))
    except InvalidRequirement:
        return False


def _common_requirements(project: Project) -> list[str]:
    """Return the arguments by which uv installs what a project needs in any case."""
    wanted = ["."] if project.is_package and project.is_installable else []
    for group in project.groups:
        wanted += ["--group", group]
    for file in project.files:
        wanted += ["--requirements", file]
    return wanted


def _constraints(environment: Environment, project: Project) -> list[str]:
    """Return the arguments that name the versions in a project's lock file, nothing if it has none."""
    wanted = []
    if project.constraints:
        wanted += ["--constraints", _temporary("constraints", project.constraints)]
    if project.is_locked_by_uv:
        groups = [argument for group in project.groups for argument in ("--group", group)]
        locked = _temporary("locked", [])
        output = ["--quiet", "--output-file", locked]
        _uv(environment, [*_EXPORT, "--python", str(environment.python), *groups, *output])
        wanted += ["--constraints", locked]
    return wanted


def _temporary(name: str, lines: Iterable[str]) -> str:
    """Return the path of a file with requirements in the folder for temporary files."""
    path = Path(tempfile.mkdtemp(), f"{name}.txt")
    path.write_text("".join(f"{line}\n" for line in lines))
    return str(path)


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
        kind = UnsolvableError if process.returncode == _UNSOLVABLE else BuildError
        raise kind(
            f"The environment could not be built: {reason or f'uv ended with status {process.returncode}'} "
            f"(uv {' '.join(arguments)}). Fix the project, or try again if it was the network."
        )


def _command(arguments: Sequence[str]) -> list[str]:
    # Imported late: code that only looks up environments does not need it.
    import uv

    return [uv.find_uv_bin(), "--no-python-downloads", "--no-progress", "--color", "never", *arguments]
