"""Requirements of the project in a repository, as uv, poetry and pip read it."""

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ska_oso_oet.model import OetError

from .poetry_projects import read_tables

PROJECT_FILE = "pyproject.toml"
REQUIREMENTS = "requirements.txt"
UV_LOCK = "uv.lock"
POETRY_LOCK = "poetry.lock"

_LOCKS = (UV_LOCK, POETRY_LOCK)
_IMPORTED_FROM = ("", "src")
"""Folders of a repository that modules may be in, relative to its top."""

_NOT_FROM_INDEX = ("git", "directory", "file", "url")
"""Kinds of sources in a lock file of poetry whose packages a version alone does not identify."""


class BuildError(OetError, RuntimeError):
    """An environment could not be built. The message says in which step, and what to do."""


class Project(NamedTuple):
    """Requirements of the scripts of a repository.

    :param is_package: whether the project itself is built and installed
    :param files: files with requirements, relative to the top of the repository
    :param groups: dependency groups of the project file
    :param alternatives: further requirements, as in a requirements file: sets to be tried in this order
    :param is_installable: whether the package, once it is built, can be installed as it is
    :param constraints: versions that packages must have if they are installed, as in a requirements file
    :param is_locked_by_uv: whether the lock file of uv has further constraints
    :param requires_python: versions of Python that it can be used with, alternatives separated by ``||``;
        None for any
    :param import_folders: folders that its modules are imported from where they are, relative to the top
    """

    is_package: bool = False
    files: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    is_installable: bool = True
    constraints: tuple[str, ...] = ()
    is_locked_by_uv: bool = False
    requires_python: str | None = None
    import_folders: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """Description of the requirements, for people."""
        parts = ["the project"] if self.is_package else []
        parts += [f"the requirements in {file}" for file in self.files]
        parts += [f"the dependency group {group}" for group in self.groups]
        parts += ["the dependencies of poetry"] if any(self.alternatives) else []
        return ", ".join(parts)


def read_project(source: Path) -> Project:
    """Return the requirements of the scripts of a repository.

    That is what ``uv sync``, ``poetry install`` or ``pip install --requirement requirements.txt .`` install.

    :param source: folder with the files of the repository
    :raises BuildError: if it describes no project, or a file that describes it cannot be read
    """
    described = _read(source / PROJECT_FILE)
    locks = [name for name in _LOCKS if (source / name).is_file()]
    is_package = _is_package(described, source)
    project = Project(
        is_package=is_package,
        groups=_groups(described),
        is_locked_by_uv=UV_LOCK in locks,
        requires_python=described.get("project", {}).get("requires-python"),
        import_folders=() if is_package else _IMPORTED_FROM,
    )
    if _is_of_poetry(described):
        project = _with_poetry(project, source)
        if POETRY_LOCK in locks and not project.is_locked_by_uv:
            project = project._replace(constraints=tuple(_locked(_read(source / POETRY_LOCK))))
    elif "project" in described and not project.is_package:
        project = project._replace(files=(PROJECT_FILE,))
    # With a lock file, it is made from that; else it has the versions that the project was tested with.
    if (source / REQUIREMENTS).is_file() and not (locks and described):
        project = project._replace(files=(*project.files, REQUIREMENTS))
    if not describes_environment(source):
        raise BuildError(
            f"The repository describes no environment: it has neither {PROJECT_FILE} nor {REQUIREMENTS} "
            "at its top. Create the procedure without create_env."
        )
    return project


def describes_environment(source: Path) -> bool:
    """Return whether a repository describes requirements for its scripts.

    :param source: folder with the files of the repository
    :raises BuildError: if the file that may say so cannot be read
    """
    described = _read(source / PROJECT_FILE)
    return (
        "project" in described
        or _is_package(described, source)
        or _is_of_poetry(described)
        or bool(_groups(described))
        or (source / REQUIREMENTS).is_file()
    )


def _read(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file, empty if there is none.

    :raises BuildError: if it cannot be read
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise BuildError(f"The repository's {path.name} cannot be read: {error}.") from error


def _tool(described: dict[str, Any], name: str) -> dict[str, Any]:
    table: dict[str, Any] = described.get("tool", {}).get(name, {})
    return table


def _is_package(described: dict[str, Any], source: Path) -> bool:
    """Return whether a project itself is built, in addition to the installation of its requirements."""
    says = (_tool(described, "uv").get("package"), _tool(described, "poetry").get("package-mode"))
    if False in says:
        return False
    has_setup = (source / "setup.py").is_file()
    return True in says or has_setup or "build-system" in described or bool(_tool(described, "setuptools"))


def _groups(described: dict[str, Any]) -> tuple[str, ...]:
    """Return the dependency groups that uv installs by default.

    A file that has only groups means all of them.
    """
    groups = described.get("dependency-groups", {})
    alone = "project" not in described and not _is_of_poetry(described)
    chosen = _tool(described, "uv").get("default-groups", "all" if alone else ["dev"])
    return tuple(groups if chosen == "all" else [group for group in chosen if group in groups])


def _is_of_poetry(described: dict[str, Any]) -> bool:
    """Return whether poetry's own tables have the requirements of a project."""
    return not {"dependencies", "dev-dependencies", "group", "package-mode"}.isdisjoint(
        _tool(described, "poetry")
    )


def _with_poetry(project: Project, source: Path) -> Project:
    """Return a project with what poetry installs by default.

    :raises BuildError: if poetry's tables cannot be understood
    """
    try:
        tables = read_tables(source, is_package=project.is_package, skipped=project.groups)
    except ValueError as error:
        raise BuildError(f"The repository's {PROJECT_FILE} is not valid for poetry: {error}") from error
    return project._replace(
        alternatives=tables.alternatives,
        is_installable=tables.is_installable,
        requires_python=project.requires_python or (None if tables.python == "*" else tables.python),
    )


def _locked(lock: dict[str, Any]) -> Iterator[str]:
    """Yield the versions in a lock file of poetry, as constraints."""
    packages = [
        package
        for package in lock.get("package", [])
        if package.get("source", {}).get("type") not in _NOT_FROM_INDEX
    ]
    count = Counter(package["name"] for package in packages)
    for package in packages:
        constraint = f"{package['name']}=={package['version']}"
        markers = package.get("markers")
        if count[package["name"]] == 1:
            yield constraint
        elif isinstance(markers, str):
            # Of several versions, the markers say which one counts.
            yield f"{constraint} ; {markers}"
