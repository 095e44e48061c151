"""Scripts from git run with the packages that their project requires."""

import os
import sys
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script, make_wheel, project_files
from tests.support.script_service import ServiceUnderTest, script_service

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.procedure.application import ProcedureSummary
from ska_oso_oet.procedure.domain.preparer import Build
from ska_oso_oet.procedure.environment import environment_of

TELL_VERSION = "import zebra\ndef main():\n    print('zebra', zebra.VERSION)\n"
TELL_INTERPRETER = "import sys\ndef main():\n    print('runs under', sys.executable)\n"


def zebra(wheels: Path, version: str) -> None:
    make_wheel(wheels, "zebra", version, {"zebra.py": f"VERSION = {version!r}\n"})


def reason(summary: ProcedureSummary) -> str:
    return summary.history.stacktrace or ""


def builds(control: Path) -> int:
    return len((control / "builds").read_text().splitlines()) if (control / "builds").exists() else 0


def test_the_states_and_steps_of_a_script_with_an_environment(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    commit = repository.commit({**project_files("receiver"), "script.py": "def main(): pass\n"})
    summary = service.run(git_script(repository))
    states = [state for state, _ in summary.history.process_states]
    assert states[:7] == ["CREATING", "IDLE", "PREP_ENV", "IDLE", "LOADING", "IDLE", "READY"]
    assert states[7:] == ["RUNNING", "READY", "COMPLETE"]
    steps = service.progress(summary.id)
    assert steps[:2] == [f"Fetching {repository.url}", f"Checking out commit {commit}"]
    assert "Creating a Python environment" in steps
    assert "Building" in service.output(summary.id) or "Prepared" in service.output(summary.id)


def test_two_scripts_that_need_different_versions_are_prepared_together_and_have_each_its_own(
    service: ServiceUnderTest, tmp_path: Path, wheels: Path
) -> None:
    procedures = []
    for version in ("1.0", "2.0"):
        zebra(wheels, version)
        repository = GitRepository(tmp_path / "repositories" / f"project{version}")
        project = project_files("receiver", requires=f"zebra=={version}")
        repository.commit({**project, "script.py": TELL_VERSION})
        procedures.append(service.create(git_script(repository)))
    for procedure, version in zip(procedures, ("1.0", "2.0"), strict=True):
        service.start(procedure)
        assert service.ended(procedure).state is ProcedureState.COMPLETE
        assert f"zebra {version}" in service.output(procedure)


def test_what_a_script_does_to_its_packages_reaches_no_other(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path
) -> None:
    zebra(wheels, "1.0")
    spoil = "import zebra\ndef main():\n    open(zebra.__file__, 'w').write('VERSION = 0')\n"
    for script, told in ((spoil, ""), (TELL_VERSION, "zebra 1.0")):
        repository.commit({"requirements.txt": "zebra\n", "script.py": script})
        summary = service.run(git_script(repository))
        assert summary.state is ProcedureState.COMPLETE, reason(summary)
        assert told in service.output(summary.id)


def test_a_script_has_its_own_packages_first_and_those_of_the_server_after_them(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path
) -> None:
    # This server has jsonpickle, too. Another OET is what only the server may choose.
    make_wheel(wheels, "jsonpickle", "99.0", {"jsonpickle.py": "VERSION = 'of the environment'\n"})
    make_wheel(wheels, "ska_oso_oet", "1.0", {"ska_oso_oet/__init__.py": "raise ImportError('another')\n"})
    script = (
        "import os, subprocess, sys, jsonpickle, tango, ska_oso_oet\n"
        "from ska_oso_oet.event import topics\n"
        "def main():\n"
        "    print(jsonpickle.VERSION, tango.__name__, ska_oso_oet.__file__, sys.prefix)\n"
        "    subprocess.run(['python', '-c', 'import jsonpickle as j; print(j.VERSION, 2)'])\n"
    )
    repository.commit({"requirements.txt": "jsonpickle==99.0\nska_oso_oet\n", "script.py": script})
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    output = service.output(summary.id)
    own = Path(__file__).parents[4] / "src" / "ska_oso_oet" / "__init__.py"
    assert f"of the environment tango {own}" in output
    assert "of the environment 2" in output


def test_a_script_under_another_interpreter_can_do_what_scripts_do(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    script = (
        "import time\n"
        "from pubsub import pub\n"
        "import helper\n"
        "def init(): print('init')\n"
        "def main(subarray=1):\n"
        "    try:\n"
        "        pub.sendMessage('user.script.announce', msg=helper.GREETING)\n"
        "        time.sleep(60)\n"
        "    finally:\n"
        "        print('cleaned up')\n"
    )
    repository.commit({**project_files("receiver"), "script.py": script, "helper.py": "GREETING = 'hello'\n"})
    procedure = service.create(git_script(repository))
    service.wait_for_state(procedure, "READY")
    service.start(procedure)
    service.wait_until(lambda: service.events("user.script.announce", procedure))
    stopped = service.stop(procedure)
    assert stopped.state is ProcedureState.STOPPED
    assert service.events("user.script.announce", procedure)[0]["msg"] == "hello"
    assert "cleaned up" in service.output(procedure)


def test_without_create_env_a_script_runs_in_the_server_s_environment(
    service: ServiceUnderTest, repository: GitRepository, control: Path
) -> None:
    repository.commit({**project_files("receiver"), "script.py": TELL_INTERPRETER})
    summary = service.run(git_script(repository, create_env=False))
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    assert f"runs under {sys.executable}" in service.output(summary.id)
    assert builds(control) == 0


def test_ten_procedures_of_one_environment_build_it_once(
    state: Path, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    commit = repository.commit({**project_files("receiver"), "script.py": "def main(): pass\n"})
    commits = None, commit, commit[:8]
    with script_service(state) as service:
        procedures = [service.create(git_script(repository, commit=commits[n % 3])) for n in range(10)]
        for procedure in procedures:
            service.wait_for_progress(procedure, "Installing")
        (control / "hang").write_text("go on")
        for procedure in procedures:
            service.wait_for_state(procedure, "READY")
        assert builds(control) == 1
        # The next one has nothing to wait for.
        (control / "builds").unlink()
        assert service.run(git_script(repository, commit=commit)).state is ProcedureState.COMPLETE
        assert builds(control) == 0


def test_a_failing_build_is_reported_with_its_output_and_tried_again(
    service: ServiceUnderTest, repository: GitRepository, control: Path
) -> None:
    (control / "fail").touch()
    repository.commit({**project_files("receiver"), "script.py": "def main(): pass\n"})
    procedures = [service.create(git_script(repository)) for _ in range(2)]
    for procedure in procedures:
        summary = service.ended(procedure)
        assert summary.state is ProcedureState.FAILED
        # In the first line, which is what is told of an activity; and the whole output below.
        first, _, output = reason(summary).partition("\n")
        assert "could not be built" in first
        assert "the receiver is frozen" in first
        assert "the receiver is frozen" in output
    (control / "fail").unlink()
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE


def test_an_environment_that_the_worker_cannot_use_fails_with_the_reason(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path
) -> None:
    make_wheel(wheels, "pydantic", "0.1", {"pydantic.py": "AGE = 'stone'\n"})
    repository.commit({"requirements.txt": "pydantic==0.1\n", "script.py": "def main(): pass\n"})
    summary = service.run(git_script(repository))
    assert "cannot work with the versions of packages" in reason(summary)
    assert "ImportError" in reason(summary)


def test_an_environment_that_was_damaged_fails_with_the_reason_and_is_built_anew(
    service: ServiceUnderTest, repository: GitRepository, state: Path
) -> None:
    commit = repository.commit({**project_files("receiver"), "script.py": "def main(): pass\n"})
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    environment = environment_of(state / "git" / "environments", repository.url, commit)
    (environment.site_packages / "pydantic.py").write_text("raise ImportError('damaged')\n")
    summary = service.run(git_script(repository))
    assert "The environment of the script cannot be used" in reason(summary)
    assert "damaged" in reason(summary)
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    environment.python.unlink()
    assert "FileNotFoundError" in reason(service.run(git_script(repository)))
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE


def test_an_environment_in_use_is_not_built_anew_meanwhile(
    service: ServiceUnderTest, repository: GitRepository, state: Path, control: Path
) -> None:
    commit = repository.commit(
        {**project_files("receiver"), "script.py": "def main():\n    import receiver\n"}
    )
    user = service.create(git_script(repository))
    service.wait_for_state(user, "READY")
    environment = environment_of(state / "git" / "environments", repository.url, commit)
    (environment.site_packages / "pydantic.py").write_text("raise ImportError('damaged')\n")
    assert "cannot be used" in reason(service.run(git_script(repository)))
    assert "cannot be used" in reason(service.run(git_script(repository)))
    service.start(user)
    assert service.ended(user).state is ProcedureState.COMPLETE
    assert builds(control) == 1


def test_an_environment_that_was_completed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    environment = environment_of(tmp_path, "https://example.org/project", "0" * 40)
    environment.location.mkdir()
    environment.mark_created()
    # There is no project: to build it would fail.
    step = Build(environment, tmp_path / "packages", 0, tmp_path / "temporary")
    assert step.run(print) == str(environment.python)
    assert environment.created


def test_packages_that_are_too_many_are_not_kept(
    state: Path, repository: GitRepository, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_CACHE_DIR")
    zebra(wheels, "1.0")
    repository.commit({"requirements.txt": "zebra\n", "script.py": TELL_VERSION})
    packages = state / "git" / "packages"
    with script_service(state) as service:
        assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    assert [*packages.rglob("zebra.py")] != []
    repository.commit({"requirements.txt": "zebra\n", "script.py": TELL_VERSION, "more": ""})
    with script_service(state, packages_limit=0) as service:
        assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
        assert "zebra 1.0" in service.output(1)
    assert [*packages.rglob("zebra.py")] == []


def test_submodules_are_not_fetched_and_the_script_s_output_says_so(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path
) -> None:
    other = GitRepository(tmp_path / "repositories" / "other")
    other.commit({"helper.py": ""})
    repository.commit({"script.py": "import helper\ndef main(): pass\n"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.url, "other")
    repository.commit({})
    summary = service.run(git_script(repository, create_env=False))
    assert summary.state is ProcedureState.FAILED
    assert "has submodules. They are not fetched" in service.output(summary.id)


def test_a_repository_without_a_project_has_no_environment(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    repository.commit({"pyproject.toml": "[tool.ruff]\n", "script.py": "def main(): pass\n"})
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.FAILED
    assert "neither pyproject.toml nor requirements.txt" in reason(summary)


@pytest.mark.parametrize("words", ["[tool.uv]\npackage = false\n", "[tool.poetry]\npackage-mode = false\n"])
def test_a_project_that_is_no_package_has_only_what_it_requires(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path, words: str
) -> None:
    zebra(wheels, "1.0")
    project = '[project]\nname = "scripts"\nversion = "1"\ndependencies = ["zebra"]\n'
    repository.commit(
        {"pyproject.toml": project + words, "script.py": TELL_VERSION, "a/x.py": "", "b/x.py": ""}
    )
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.COMPLETE, reason(summary)
    assert "zebra 1.0" in service.output(summary.id)


def test_of_unused_environments_the_last_ones_are_kept(state: Path, repository: GitRepository) -> None:
    commits = [repository.commit({"script.py": f"def main(): {n}\n"}) for n in range(4)]
    with script_service(state, environment_limit=2) as service:
        for commit in (*commits, commits[1]):
            service.run(git_script(repository, commit=commit, create_env=False))
    kept = {path.name.rpartition("-")[2] for path in (state / "git" / "environments").iterdir()}
    assert kept == {commits[3], commits[1]}


def test_an_environment_in_use_is_kept_and_afterwards_nothing_is(
    state: Path, repository: GitRepository
) -> None:
    first = repository.commit({"script.py": "def main():\n    import helper\n", "helper.py": ""})
    other = repository.commit({"script.py": "def main(): pass\n"})
    with script_service(state, environment_limit=0) as service:
        used = service.create(git_script(repository, commit=first, create_env=False))
        service.wait_for_state(used, "READY")
        service.run(git_script(repository, commit=other, create_env=False))
        service.start(used)
        summary = service.ended(used)
        assert summary.state is ProcedureState.COMPLETE, reason(summary)
    assert [*(state / "git" / "environments").iterdir(), *(state / "git" / "mirrors").iterdir()] == []
