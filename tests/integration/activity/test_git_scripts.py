"""Activities whose scripts are in git."""

from pathlib import Path
from typing import Any

import pytest
from tests.support.activity_services import Oet, states
from tests.support.git_projects import GitRepository

from ska_oso_oet.activity.domain import ActivityState
from ska_oso_oet.model import ProcedureState, script_to_json
from ska_oso_oet.procedure.domain import ProcedureInput

COMPLETE, FAILED = ActivityState.COMPLETE, ActivityState.FAILED


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "repositories" / "scripts")


def described(repository: GitRepository, **place: Any) -> dict[str, Any]:
    return {"kind": "git", "path": "git:///scripts/observe.py", "repo": repository.url, **place}


def test_the_commit_that_the_scheduling_block_names(oet: Oet, repository: GitRepository) -> None:
    old = repository.commit({"scripts/observe.py": "def main(sb_json): print('old', sb_json)"})
    repository.commit({"scripts/observe.py": "def main(sb_json): print('new', sb_json)"})
    # Whatever its branches are called, a commit is enough.
    repository.git("branch", "--move", "trunk")
    oet.put("sbd-1", {"observe": described(repository, commit=old[:10])})
    summary = oet.ended(oet.run("observe"))
    assert summary.state is COMPLETE, summary.reason
    procedure = oet.procedure(summary)
    assert oet.scripts.output(procedure.id).tail()[-1] == f"old {summary.sb_json}"
    assert script_to_json(procedure.script)["create_env"] is False


def test_a_branch_that_is_not_there(oet: Oet, repository: GitRepository) -> None:
    repository.commit({"scripts/observe.py": "def main(sb_json): pass"})
    oet.put("sbd-1", {"observe": described(repository, branch="nothing")})
    summary = oet.ended(oet.run("observe"))
    assert states(summary) == [ActivityState.REQUESTED, FAILED]
    assert "'nothing'" in str(summary.reason)
    assert str(summary.reason) in str(oet.procedure(summary).history.stacktrace)


def test_a_repository_that_is_not_allowed(oet: Oet, repository: GitRepository) -> None:
    oet.put("sbd-1", {"observe": described(repository, repo="https://example.org/r.git")})
    summary = oet.ended(oet.run("observe"))
    assert (summary.state, summary.pid) == (FAILED, None)
    assert "https://example.org/r.git" in str(summary.reason)


def test_arguments_that_do_not_fit_are_found_before_init_moves_anything(
    oet: Oet, repository: GitRepository
) -> None:
    repository.commit({"scripts/observe.py": "def init(): print('moved')\ndef main(sb_json): pass"})
    oet.put("sbd-1", {"observe": described(repository)})
    summary = oet.ended(oet.run("observe", script_args={"main": ProcedureInput(target="M83")}))
    assert states(summary) == [ActivityState.REQUESTED, FAILED]
    sentence = "the arguments of main() do not fit: got an unexpected keyword argument 'target'"
    assert str(summary.reason).startswith(sentence)
    assert "moved" not in oet.scripts.output(oet.procedure(summary).id).tail()


def test_an_environment_is_asked_for(oet: Oet, repository: GitRepository) -> None:
    repository.commit({"scripts/observe.py": "def main(sb_json): pass"})
    oet.put("sbd-1", {"observe": described(repository)})
    summary = oet.ended(oet.run("observe", create_env=True))
    # That it has none to describe can only be found out by who looks for it.
    assert summary.state is FAILED
    assert "pyproject.toml" in str(summary.reason)
    procedure = oet.procedure(summary)
    assert ProcedureState.PREP_ENV in [state for state, _ in procedure.history.process_states]
