"""Files that a repository keeps in Git LFS, with git-lfs on the host."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script
from tests.support.script_service import ServiceUnderTest

from ska_oso_oet.model import ProcedureState, ProcedureSummary

SCRIPT = """
from pathlib import Path
def main():
    print("gains", Path(__file__).with_name("gains.npy").read_text())
"""

pytestmark = pytest.mark.skipif(
    shutil.which("git-lfs") is None and os.environ.get("OET_REQUIRE_SYSTEM_TESTS") != "1",
    reason="git-lfs is not installed",
)


@pytest.fixture
def repository(repository: GitRepository) -> GitRepository:
    """A repository that keeps a file in Git LFS, and a script that reads it."""
    repository.git("lfs", "install", "--local")
    repository.git("lfs", "track", "*.npy")
    repository.commit({"script.py": SCRIPT, "gains.npy": "1.0 0.9"})
    assert repository.git("show", "HEAD:gains.npy").startswith("version https://git-lfs")
    return repository


def contents(repository: GitRepository) -> Path:
    """Return the folder in which a repository has the contents of the files."""
    return repository.path / ".git" / "lfs" / "objects"


def run(
    service: ServiceUnderTest, repository: GitRepository, files: Mapping[str, str] | None = None
) -> ProcedureSummary:
    """Commit files, if there are any, and run the script."""
    if files is not None:
        repository.commit(files)
    return service.run(git_script(repository, create_env=False))


def test_a_script_finds_their_contents(service: ServiceUnderTest, repository: GitRepository) -> None:
    # The contents that the second commit shares with the first are kept from that.
    for number, files in enumerate(({}, {"other.npy": "2.0"}, None), start=1):
        summary = run(service, repository, files)
        assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
        assert service.output(number).splitlines()[-1] == "gains 1.0 0.9"
        assert "Git LFS" not in service.output(number)
        assert (f"Fetching {number} files from Git LFS" in service.progress(number)) is (files is not None)


def test_a_checkout_with_them_is_not_taken_for_changed(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    repository.commit(
        {"script.py": "import subprocess\ndef main(): subprocess.run(['git', 'status', '-s'])\n"}
    )
    for number in (1, 2):
        assert run(service, repository).state is ProcedureState.COMPLETE
        assert "gains" not in service.output(number)
        assert not any("changed" in text for text in service.progress(number))


def test_contents_that_cannot_be_had_fail_the_procedure_until_they_can(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path
) -> None:
    contents(repository).rename(tmp_path / "away")
    summary = run(service, repository)
    assert summary.state is ProcedureState.FAILED
    assert "keeps in Git LFS cannot be fetched (" in (summary.history.stacktrace or "").partition("\n")[0]
    shutil.rmtree(contents(repository), ignore_errors=True)
    (tmp_path / "away").rename(contents(repository))
    summary = run(service, repository)
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    assert "gains 1.0 0.9" in service.output(2)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ("[lfs]\n\tfetchexclude = *.npy\n", "the configuration of the repository excludes them"),
        ("[lfs]\n\turl = https://user:secret@127.0.0.1:9/a\n", ".lfsconfig names the server https://127.0"),
        ('[remote "oet"]\n\tlfsurl = https://127.0.0.1:9/a\n', ".lfsconfig names the server https://127.0"),
    ],
)
def test_what_the_repository_excludes_or_has_elsewhere_is_named(
    service: ServiceUnderTest, repository: GitRepository, configuration: str, reason: str
) -> None:
    summary = run(service, repository, {".lfsconfig": configuration})
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    output = service.output(1)
    assert f"files in Git LFS: gains.npy. Their contents are not fetched, as {reason}" in output
    assert "gains version https://git-lfs" in output


def test_contents_that_a_script_has_changed_in_the_mirror_are_fetched_again(
    service: ServiceUnderTest, repository: GitRepository, state: Path
) -> None:
    run(service, repository)
    (kept,) = [path for path in (state / "git" / "mirrors").glob("*/lfs/objects/*/*/*") if path.is_file()]
    kept.unlink()  # it may be the file of the repository itself, by a hard link
    kept.write_text("9.9 9.9")
    assert run(service, repository, {"more": "1"}).state is ProcedureState.COMPLETE
    assert service.output(2).splitlines()[-1] == "gains 1.0 0.9"
