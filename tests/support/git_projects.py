"""Git repositories that hold scripts and the projects that these need; nothing here needs a network."""

import subprocess
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from ska_oso_oet.model import GitArgs
from ska_oso_oet.procedure.domain import GitScript

_OF_INSTALLATION = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")

_BACKEND = '''\
"""A build backend that needs no other package, and is controlled by files next to the project."""
import os, pathlib, tomllib, zipfile

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    control = pathlib.Path(os.environ["TEST_CONTROL"])
    with open(control / "builds", "a") as builds:
        builds.write(f"{os.getpid()}\\n")
    if (control / "hang").exists():
        open(control / "hang").read()  # a FIFO: until somebody writes
    if (control / "fail").exists():
        raise SystemExit("the receiver is frozen")
    project = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
    info = f"{project['name']}-{project['version']}.dist-info"
    name = f"{project['name']}-{project['version']}-py3-none-any.whl"
    requires = "".join(f"Requires-Dist: {wanted}\\n" for wanted in project.get("dependencies", []))
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w") as wheel:
        wheel.writestr(f"{project['name']}.py", f"VERSION = {project['version']!r}\\n")
        about = f"Name: {project['name']}\\nVersion: {project['version']}\\n{requires}"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\n{about}")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
'''


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> None:
    """Make a package that can be installed.

    :param folder: where to
    :param name: name of the distribution
    :param version: its version
    :param files: its modules: content by path
    """
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def copy_wheel(folder: Path, name: str) -> None:
    """Make a package of one that is installed here, so that it can be installed elsewhere.

    :param folder: where to
    :param name: name of the distribution
    """
    found = metadata.distribution(name)
    wheel = f"{name.replace('-', '_')}-{found.version}"
    with zipfile.ZipFile(folder / f"{wheel}-py3-none-any.whl", "w") as archive:
        for file in found.files or ():
            if ".." not in file.parts and file.suffix != ".pyc" and file.name not in _OF_INSTALLATION:
                archive.write(file.locate(), str(file))
        archive.writestr(f"{wheel}.dist-info/RECORD", "")


def project_files(name: str, version: str = "1.0", requires: str = "") -> dict[str, str]:
    """Return the files of a project with a build backend of its own; its package is one module with VERSION.

    :param name: name of the project
    :param version: its version
    :param requires: what it requires, as in ``zebra==1.0``
    """
    dependencies = f'dependencies = ["{requires}"]\n' if requires else ""
    return {
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "{version}"\n{dependencies}'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": _BACKEND,
    }


class GitRepository:
    """A git repository whose branch is ``master``.

    :param path: its folder, which must not exist
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=master")

    @classmethod
    def at(cls, path: Path) -> "GitRepository":
        """Return the repository in a folder that exists."""
        repository = cls.__new__(cls)
        repository.path = path
        return repository

    @property
    def url(self) -> str:
        """Its URL."""
        return self.path.as_uri()

    def git(self, *arguments: str) -> str:
        """Run git in it and return what it prints."""
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
        command = ["git", "-C", str(self.path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, files: Mapping[str, str]) -> str:
        """Commit files, and return the full hash of the commit.

        :param files: content by path
        """
        for path, content in files.items():
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.path / path).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a commit")
        return self.git("rev-parse", "HEAD")


def git_script(
    repository: GitRepository,
    path: str = "script.py",
    *,
    branch: str | None = "master",
    commit: str | None = None,
    create_env: bool = True,
) -> GitScript:
    """Return a script in a repository."""
    return GitScript(f"git:///{path}", GitArgs(repository.url, branch, commit), create_env)
