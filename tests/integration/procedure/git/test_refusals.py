"""Scripts from git that cannot be had: refused at once, or FAILED, with the reason."""

import socket
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script
from tests.support.script_service import ServiceUnderTest

from ska_oso_oet.model import GitArgs, ProcedureState
from ska_oso_oet.procedure.application import Origin
from ska_oso_oet.procedure.domain import GitScript, ProcedureInput, ScriptError, ScriptNotAllowedError


def test_a_repository_that_is_not_allowed_is_refused_and_nothing_is_created(
    service: ServiceUnderTest, state: Path
) -> None:
    with pytest.raises(ScriptNotAllowedError, match="GitRepositories"):
        service.create(GitScript("git:///script.py", GitArgs("https://gitlab.example.org/a/b.git")))
    assert service.service.summarise() == []
    assert not (state / "git").exists()


def test_what_could_be_an_option_of_git_is_refused_and_never_gets_there(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path
) -> None:
    repository.commit({"script.py": "def main(): pass\n"})
    option = f"--upload-pack=touch {tmp_path}/owned;"
    for args in (
        GitArgs(option),
        GitArgs(repository.url, option),
        GitArgs(repository.url, "master", option),
        GitArgs(repository.url, "master", "../../.."),
        GitArgs(repository.url, "master", ""),
    ):
        script = GitScript("git:///script.py", args)
        with pytest.raises(ScriptError) as refusal:
            service.create(script)
        # Nor where nobody has admitted it.
        unadmitted = service.service.manager.create(script, init_args=ProcedureInput(), origin=Origin())
        assert service.ended(unadmitted).history.stacktrace == str(refusal.value)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("path", "branch", "reason"),
    [
        ("missing.py", "master", "has no file 'missing.py' at 'master'"),
        ("folder", "master", "has no file 'folder'"),
        ("link.py", "master", "has no file 'link.py'"),
        ("script.py", "nonexistent", "has no branch or tag 'nonexistent'"),
    ],
)
def test_what_is_not_in_the_repository_fails_with_the_reason(
    service: ServiceUnderTest, repository: GitRepository, path: str, branch: str, reason: str
) -> None:
    repository.path.joinpath("link.py").symlink_to("/etc/passwd")
    repository.commit({"script.py": "def main(): pass\n", "folder/x.py": ""})
    procedure = service.create(git_script(repository, path, branch=branch, create_env=False))
    summary = service.ended(procedure)
    assert [state for state, _ in summary.history.process_states][-2:] == ["PREP_ENV", "FAILED"]
    assert reason in (summary.history.stacktrace or "")


def test_a_repository_that_cannot_be_reached_fails_with_what_git_says(
    service: ServiceUnderTest, tmp_path: Path
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        urls = f"http://127.0.0.1:{bound.getsockname()[1]}/a.git", (tmp_path / "nowhere").as_uri()
        for url, said in zip(urls, ("Failed to connect", "does not"), strict=True):
            summary = service.ended(service.create(GitScript("git:///script.py", GitArgs(url))))
            assert summary.state is ProcedureState.FAILED
            assert f"{url} cannot be fetched" in (summary.history.stacktrace or "")
            # In the first line, which activities report.
            assert said in (summary.history.stacktrace or "").partition("\n")[0]


def test_a_host_without_git_is_told_apart(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"script.py": "def main(): pass\n"})
    service.run(git_script(repository, create_env=False))
    monkeypatch.setenv("PATH", str(tmp_path))
    summary = service.ended(service.create(git_script(repository, create_env=False)))
    assert "Git cannot be run on the host of this server" in (summary.history.stacktrace or "")
