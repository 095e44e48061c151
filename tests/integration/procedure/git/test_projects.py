"""Of whatever kind the project in a repository is, its scripts get what it requires."""

from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, copy_wheel, git_script, make_wheel, project_files
from tests.support.script_service import ServiceUnderTest

from ska_oso_oet.model import ProcedureState

SHOW = """
import importlib.metadata, sysconfig
def main():
    found = importlib.metadata.distributions(path=[sysconfig.get_path("purelib")])
    print("installed:", *sorted(f"{each.name}={each.version}" for each in found))
"""
PROJECT = '[project]\nname = "scripts"\nversion = "1"\ndependencies = ["zebra"]\n'
NO_PACKAGE = "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\n"
POETRY = f'{NO_PACKAGE}python = ">=3.11"\nzebra = "^1.0"\n'
HASH = 64 * "0"
UV_LOCK = f"""
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "scripts"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "zebra" }}]

[package.dev-dependencies]
dev = [{{ name = "yak" }}]

[[package]]
name = "yak"
version = "1.0"
source = {{ registry = "https://packages.invalid/simple" }}
wheels = [{{ url = "https://packages.invalid/yak-1.0-py3-none-any.whl", hash = "sha256:{HASH}" }}]

[[package]]
name = "zebra"
version = "1.0"
source = {{ registry = "https://packages.invalid/simple" }}
wheels = [{{ url = "https://packages.invalid/zebra-1.0-py3-none-any.whl", hash = "sha256:{HASH}" }}]
"""
POETRY_LOCK = """
[[package]]
name = "zebra"
version = "1.0"
[[package]]
name = "yak"
version = "9.9"
markers = "python_version < '3.11'"
[[package]]
name = "yak"
version = "1.0"
markers = "python_version >= '3.11'"
[metadata]
lock-version = "2.1"
"""

KINDS = {
    "a project without a build system": ({"pyproject.toml": PROJECT}, "zebra=2.0"),
    "a project whose words for that are those of uv": (
        {"pyproject.toml": f"{PROJECT}[tool.uv]\npackage = false\n[build-system]\nrequires = []\n"},
        "zebra=2.0",
    ),
    "a project whose words for that are those of poetry": ({"pyproject.toml": POETRY}, "zebra=1.0"),
    "poetry's tables with groups, markers and several constraints": (
        {
            "pyproject.toml": f'{NO_PACKAGE}python = "*"\n'
            'zebra = [{version = "<2", python = "<3.11"}, {version = "~2.0", python = ">=3.11"}]\n'
            "[tool.poetry.group.more.dependencies]\n"
            'yak = {version = "1.*", markers = "sys_platform != \'x\'"}\n'
            '[tool.poetry.group.docs]\noptional = true\n[tool.poetry.group.docs.dependencies]\nabsent = "1"\n'
        },
        "yak=1.0 zebra=2.0",
    ),
    "alternatives of poetry": (
        {
            "pyproject.toml": f'{NO_PACKAGE}python = "<3.8 || >=3.11"\n'
            'zebra = "^1.0 || ^2.0 || ^9.0"\nyak = [{version = "<0.5 | >=1,<2", python = ">=3.11"}]\n'
        },
        "yak=1.0 zebra=2.0",
    ),
    "alternatives of poetry that a lock file chooses from": (
        {
            "pyproject.toml": f'{NO_PACKAGE}zebra = "^1.0 || ^2.0"\nyak = "^1.0 || ^2.0"\n',
            "poetry.lock": POETRY_LOCK,
        },
        "yak=1.0 zebra=1.0",
    ),
    "a package with alternatives of poetry": (
        {
            "pyproject.toml": '[tool.poetry]\nname = "receiver"\nversion = "1.0"\n'
            'description = ""\nauthors = []\n'
            '[tool.poetry.dependencies]\nzebra = "^1.0 || ^2.0"\nyak = "1.*"\n'
            '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n',
            "receiver.py": "",
        },
        "receiver=1.0 yak=1.0 zebra=2.0",
    ),
    "requirements": ({"requirements.txt": "zebra==1.0\n"}, "zebra=1.0"),
    "dependency groups alone": (
        {"pyproject.toml": '[dependency-groups]\nobserving = ["zebra<2"]\nmore = ["yak"]\n'},
        "yak=2.0 zebra=1.0",
    ),
    "the group of uv's default": (
        {"pyproject.toml": f'{PROJECT}[dependency-groups]\ndev = ["yak"]\nother = ["absent"]\n'},
        "yak=2.0 zebra=2.0",
    ),
    "groups that uv installs by default": (
        {
            "pyproject.toml": f'{PROJECT}[tool.uv]\ndefault-groups = ["run"]\n'
            '[dependency-groups]\nrun = [{include-group = "base"}]\nbase = ["yak<2"]\ndev = ["absent"]\n'
        },
        "yak=1.0 zebra=2.0",
    ),
    "a project beside requirements with a pin": (
        {"pyproject.toml": PROJECT, "requirements.txt": "zebra==1.0\n"},
        "zebra=1.0",
    ),
    "a package beside requirements with a pin": (
        {**project_files("receiver", requires="zebra"), "requirements.txt": "zebra==1.0\n"},
        "receiver=1.0 zebra=1.0",
    ),
    "a lock file of uv": (
        {"pyproject.toml": f'{PROJECT}[dependency-groups]\ndev = ["yak"]\n', "uv.lock": UV_LOCK},
        "yak=1.0 zebra=1.0",
    ),
    "a lock file of poetry": (
        {
            "pyproject.toml": "[tool.poetry]\npackage-mode = false\n"
            '[tool.poetry.dependencies]\nzebra = "*"\nyak = "*"\n',
            "poetry.lock": POETRY_LOCK,
        },
        "yak=1.0 zebra=1.0",
    ),
    "a lock file, and requirements that were made from it": (
        {"pyproject.toml": PROJECT, "uv.lock": UV_LOCK, "requirements.txt": "absent\n"},
        "zebra=1.0",
    ),
}


@pytest.fixture
def wheels(wheels: Path) -> Path:
    """Folder of the only packages that can be installed: two versions of two packages."""
    for name in ("zebra", "yak"):
        for version in ("1.0", "2.0"):
            make_wheel(wheels, name, version, {f"{name}.py": f"VERSION = {version!r}\n"})
    copy_wheel(wheels, "poetry-core")
    return wheels


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_project_has_what_it_requires(
    service: ServiceUnderTest, repository: GitRepository, kind: str
) -> None:
    files, installed = KINDS[kind]
    repository.commit({**files, "script.py": SHOW, "one/__init__.py": "", "two/__init__.py": ""})
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    assert service.output(summary.id).splitlines()[-1] == f"installed: {installed}"


@pytest.mark.parametrize("folder", ["", "src/"])
def test_modules_of_a_project_that_is_not_built_are_found_from_any_of_its_folders(
    service: ServiceUnderTest, repository: GitRepository, folder: str
) -> None:
    script = """
import subprocess, sys
from observing.bands import BAND
def main():
    print("script", BAND, flush=True)
    subprocess.run([sys.executable, "-c", "from observing.bands import BAND; print('its child', BAND)"])
"""
    repository.commit(
        {
            "pyproject.toml": PROJECT,
            f"{folder}observing/__init__.py": "",
            f"{folder}observing/bands.py": "BAND = 2\n",
            "scripts/script.py": script,
        }
    )
    summary = service.run(git_script(repository, "scripts/script.py"))
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    assert service.output(summary.id).splitlines()[-2:] == ["script 2", "its child 2"]


REFUSED = {
    "without a project": ({"pyproject.toml": "[tool.ruff]\n"}, "neither pyproject.toml nor requirements.txt"),
    "for another Python": (
        {"pyproject.toml": f'{PROJECT}requires-python = ">=3.99"\n'},
        "requires Python >=3.99, but the OET runs Python 3",
    ),
    "of poetry for another Python": (
        {"pyproject.toml": f'{NO_PACKAGE}python = "<3.8 || >=3.99"\n'},
        "requires Python <3.8 || >=3.99, but the OET runs Python 3",
    ),
    "of poetry with alternatives none of which can be had": (
        {"pyproject.toml": f'{NO_PACKAGE}zebra = "^7.0 || ^8.0"\n'},
        "zebra>=8",
    ),
    "with a version that is none": (
        {"pyproject.toml": f'{PROJECT}requires-python = "new"\n'},
        "requires-python cannot be understood",
    ),
    "with a file that cannot be read": ({"pyproject.toml": "[project\n"}, "pyproject.toml cannot be read"),
    "with tables that poetry refuses": (
        {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n[tool.poetry.dependencies]\nzebra = 3\n"},
        "pyproject.toml is not valid for poetry",
    ),
    "with a lock file that does not fit": (
        {"pyproject.toml": PROJECT.replace("zebra", "zebra>=2"), "uv.lock": UV_LOCK},
        "zebra==1.0",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_project_that_cannot_be_used_is_refused_with_the_reason(
    service: ServiceUnderTest, repository: GitRepository, kind: str
) -> None:
    files, reason = REFUSED[kind]
    repository.commit({**files, "script.py": SHOW})
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.FAILED
    assert reason in (summary.history.stacktrace or "").partition("\n")[0]
