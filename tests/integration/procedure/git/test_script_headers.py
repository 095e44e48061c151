"""A script in a file, or given as its text, gets the packages that its header names."""

from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script, make_wheel
from tests.support.script_service import ServiceUnderTest

from ska_oso_oet.model import ExecutableScript, ProcedureState
from ska_oso_oet.procedure.domain import EmbeddedStringScript, FileSystemScript, ScriptDefectiveError

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "zebra<2",
# ]
# ///
"""
TEXT = """
import tango, zebra
def main(): print("zebra", zebra.VERSION, __name__, tango.__name__)
"""
PADDING = "# a long table\n" * 6000


@pytest.fixture
def wheels(wheels: Path) -> Path:
    """Folder of the only packages that can be installed."""
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "zebra", version, {"zebra.py": f"VERSION = {version!r}\n"})
    return wheels


def scripts(text: str, folder: Path) -> list[ExecutableScript]:
    """Return the same script in a file, and as its text."""
    (folder / "script.py").write_text(text)
    return [FileSystemScript((folder / "script.py").as_uri()), EmbeddedStringScript(text)]


@pytest.mark.parametrize("text", [HEADER + TEXT, f"#!/usr/bin/env python\n\n{HEADER}{PADDING}{TEXT}"])
def test_a_script_gets_the_packages_of_its_header_built_once(
    service: ServiceUnderTest, state: Path, tmp_path: Path, text: str
) -> None:
    for script in scripts(text, tmp_path):
        summary = service.run(script)
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert "PREP_ENV" in [name for name, _ in summary.history.process_states]
        assert service.output(summary.id).splitlines()[-1] == "zebra 1.0 __main__ tango"
    assert "Creating a Python environment" in service.progress(1)
    assert service.progress(2) == []
    [environment] = (state / "git" / "environments").iterdir()
    assert environment.name.startswith("script-")


def test_packages_that_cannot_be_had_fail_the_procedure_with_the_reason(service: ServiceUnderTest) -> None:
    text = HEADER.replace("zebra<2", "zebra>7") + "def main(): pass\n"
    summary = service.run(EmbeddedStringScript(text))
    assert summary.state is ProcedureState.FAILED
    assert "zebra>7" in (summary.history.stacktrace or "").partition("\n")[0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('requires-python = ">=3.99"', "requires Python >=3.99 by its header .*, but the OET runs"),
        ('requires-python = "new"', "cannot be understood"),
        ('dependencies = "zebra"', "dependencies is not a list of texts"),
        ('dependencies = ["zebra yak"]', "cannot be understood"),
        ("dependencies", "cannot be understood"),
    ],
)
@pytest.mark.parametrize("padding", ["", PADDING])
def test_a_header_that_cannot_be_used_is_refused_before_anything_is_created(
    service: ServiceUnderTest, tmp_path: Path, line: str, reason: str, padding: str
) -> None:
    for script in scripts(f"# /// script\n# {line}\n# ///\n{padding}def main(): pass\n", tmp_path):
        with pytest.raises(ScriptDefectiveError, match=reason):
            service.create(script)


def test_a_header_without_packages_needs_no_environment(service: ServiceUnderTest) -> None:
    text = '# /// script\n# requires-python = ">=3.11"\n# ///\ndef main(): pass\n'
    summary = service.run(EmbeddedStringScript(text))
    assert summary.state is ProcedureState.COMPLETE
    assert "PREP_ENV" not in [name for name, _ in summary.history.process_states]


@pytest.fixture
def repository(repository: GitRepository) -> GitRepository:
    """A repository with a script that has a header, and a module beside it."""
    repository.commit({"script.py": f"{HEADER}import beside\n{TEXT}", "beside.py": ""})
    return repository


@pytest.mark.parametrize("create_env", [False, True])
def test_the_header_of_a_script_from_git_counts_without_a_project(
    service: ServiceUnderTest, state: Path, repository: GitRepository, create_env: bool
) -> None:
    # A file for tools is not a project.
    repository.commit({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"})
    for number in (1, 2):
        summary = service.run(git_script(repository, create_env=create_env))
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert service.output(summary.id).splitlines()[-1] == "zebra 1.0 __main__ tango"
        assert ("Creating a Python environment" in service.progress(number)) is (number == 1)
        repository.commit({"other.py": ""})
    assert [each.name[:7] for each in (state / "git" / "environments").iterdir()].count("script-") == 1


def test_the_project_of_the_repository_counts_where_the_script_asks_for_its_environment(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    repository.commit({"requirements.txt": "zebra==2.0\n"})
    for create_env, version in ((True, "2.0"), (False, "1.0")):
        summary = service.run(git_script(repository, create_env=create_env))
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        output = service.output(summary.id)
        assert output.splitlines()[-1] == f"zebra {version} __main__ tango"
        assert ("The header of script.py (PEP 723) is ignored" in output) is create_env


def test_a_header_in_git_that_cannot_be_used_fails_the_procedure(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    repository.commit({"script.py": f"{HEADER.replace('>=3.11', '>=3.99')}def main(): pass\n"})
    summary = service.run(git_script(repository, create_env=False))
    assert summary.state is ProcedureState.FAILED
    assert "requires Python >=3.99 by its header" in (summary.history.stacktrace or "")
