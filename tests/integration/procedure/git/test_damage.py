"""Damage by a power cut or a bad disk is detected, and fixed at the next use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script
from tests.support.script_service import ServiceUnderTest

from ska_oso_oet.model import ProcedureState


def empty_objects(mirror: Path) -> None:
    for path in mirror.glob("objects/??/*"):
        path.chmod(0o600)
        os.truncate(path, 0)


def no_head(mirror: Path) -> None:
    os.truncate(mirror / "HEAD", 0)


@pytest.mark.parametrize("damage", [empty_objects, no_head])
@pytest.mark.parametrize("wanted", ["what is there", "what is new"])
def test_a_damaged_mirror_is_made_anew(
    service: ServiceUnderTest,
    repository: GitRepository,
    state: Path,
    damage: Callable[[Path], None],
    wanted: str,
) -> None:
    first = repository.commit({"script.py": "def main(): pass\n"})
    other = repository.commit({"script.py": "def main(): print('other')\n"})
    service.run(git_script(repository, commit=first, create_env=False))
    (mirror,) = (state / "git" / "mirrors").iterdir()
    damage(mirror)
    if wanted == "what is new":
        other = repository.commit({"script.py": "def main(): print('other')\n", "more": "of it"})
    summary = service.run(git_script(repository, commit=other[:10], create_env=False))
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    assert "other" in service.output(summary.id)
