"""Activities whose scripts need environments of their own."""

import os
from pathlib import Path

from tests.support.activity_services import Oet, running_oet
from tests.support.git_projects import GitRepository, make_wheel, project_files

from ska_oso_oet.model import ActivityState
from ska_oso_oet.procedure.application import StartProcessCommand
from ska_oso_oet.procedure.domain import ProcedureInput

SCRIPT = "import zebra\ndef main(sb_json): print('zebra', zebra.VERSION)\n"


def described(repository: GitRepository) -> dict[str, str]:
    return {"kind": "git", "path": "git:///script.py", "repo": repository.url}


def output_of(oet: Oet, prepared: int) -> list[str]:
    """Start the procedure of an activity that is prepared, and return what it has written in the end."""
    procedure = oet.wait_for(prepared, ActivityState.PREPARED).pid
    assert procedure is not None
    oet.scripts.start(StartProcessCommand(procedure, "main", ProcedureInput()))
    ended = oet.ended(prepared)
    assert ended.state is ActivityState.COMPLETE, ended.reason
    return oet.scripts.output(procedure).tail()


def test_ten_activities_of_one_environment_build_it_once(
    tmp_path: Path, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    script = "def main(sb_json): pass\n"
    repository.commit({**project_files("receiver"), "script.py": script})
    with running_oet(tmp_path) as oet:
        oet.put("sbd-1", {"observe": described(repository)})
        activities = [oet.run("observe", create_env=True, prepare_only=True) for _ in range(10)]

        def all_wait_for_the_build() -> bool:
            reported = oet.bus.journal.read_events(0, 10_000, "procedure.environment.progress")
            return sum("Installing" in event.text for event in reported) == len(activities)

        oet.wait_until(all_wait_for_the_build, "not all have come to the build")
        (control / "hang").write_text("go on")
        for activity in activities:
            oet.wait_for(activity, ActivityState.PREPARED)
    assert len((control / "builds").read_text().split()) == 1


def test_two_activities_that_need_different_versions_have_each_its_own(tmp_path: Path, wheels: Path) -> None:
    with running_oet(tmp_path) as oet:
        activities = []
        for version in ("1.0", "2.0"):
            make_wheel(wheels, "zebra", version, {"zebra.py": f"VERSION = {version!r}\n"})
            repository = GitRepository(tmp_path / "repositories" / f"project{version}")
            repository.commit({"requirements.txt": f"zebra=={version}\n", "script.py": SCRIPT})
            oet.put(f"sbd-{version}", {"observe": described(repository)})
            activities.append(oet.run("observe", f"sbd-{version}", create_env=True, prepare_only=True))
        for activity, version in zip(activities, ("1.0", "2.0"), strict=True):
            assert output_of(oet, activity)[-1] == f"zebra {version}"
