"""Scripts from git run with the packages that their project requires."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script, make_wheel, project_files
from tests.support.patience import wait_until
from tests.support.script_service import ServiceUnderTest, script_service

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.procedure.application import ProcedureSummary
from ska_oso_oet.procedure.environment import environment_of
from ska_oso_oet.procedure.preparation.steps import BuildStep

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
    for script, reported in ((spoil, ""), (TELL_VERSION, "zebra 1.0")):
        repository.commit({"requirements.txt": "zebra\n", "script.py": script})
        summary = service.run(git_script(repository))
        assert summary.state is ProcedureState.COMPLETE, reason(summary)
        assert reported in service.output(summary.id)


def test_what_a_script_does_to_its_files_and_packages_does_not_reach_its_next_run(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path, state: Path
) -> None:
    zebra(wheels, "1.0")
    script = (
        "from pathlib import Path\n"
        "import zebra, helper\n"
        "def main():\n"
        "    print('helper', helper.NAME, 'zebra', zebra.VERSION)\n"
        "    Path(helper.__file__).write_text('NAME = \"changed\"')\n"
        "    Path(__file__).write_text('def main(): print(\"changed\")')\n"
        "    Path(zebra.__file__).write_text('VERSION = \"changed\"')\n"
    )
    files = {"requirements.txt": "zebra\n", "script.py": script, "helper.py": "NAME = 'true'\n"}
    commit = repository.commit(files)
    for _ in range(3):
        summary = service.run(git_script(repository, commit=commit))
        assert summary.state is ProcedureState.COMPLETE, reason(summary)
        assert "helper true zebra 1.0" in service.output(summary.id)
    # This includes imports from its project, and the file that all copies are made of.
    environment = environment_of(state / "git" / "environments", repository.url, commit)
    (environment.source / "helper.py").write_text("NAME = 'changed'\n")
    assert "helper true" in service.output(service.run(git_script(repository, commit=commit)).id)
    wait_until(lambda: not list((state / "git" / "runs").iterdir()), "removed copies")


def test_an_environment_that_a_script_changed_is_not_used_while_another_uses_it(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path
) -> None:
    zebra(wheels, "1.0")
    spoil = "import zebra\ndef main():\n    open(zebra.__file__, 'a').write('\\n')\n"
    repository.commit({"requirements.txt": "zebra\n", "script.py": spoil})
    waiting = service.create(git_script(repository))
    service.wait_for_state(waiting, "READY")
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    refused = service.ended(service.create(git_script(repository)))
    assert "were changed by a script, and other procedures use them" in reason(refused)
    service.stop(waiting)
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE


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
        # In the first line, which activities report; and the whole output below.
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


def fragile(wheels: Path, control: Path) -> dict[str, str]:
    """Return a project whose environment cannot be used as long as there is a file ``damaged``."""
    module = (
        "import pathlib, sys\n"
        f"if pathlib.Path({str(control / 'damaged')!r}).exists():\n"
        "    sys.modules['pydantic'] = None\n"
    )
    make_wheel(wheels, "fragile", "1.0", {"sitecustomize.py": module})
    return {**project_files("receiver", requires="fragile"), "script.py": "def main(): pass\n"}


def test_an_environment_that_cannot_be_used_fails_with_the_reason_and_is_built_anew(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path, control: Path
) -> None:
    repository.commit(fragile(wheels, control))
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    (control / "damaged").touch()
    summary = service.run(git_script(repository))
    assert "The environment of the script cannot be used" in reason(summary)
    assert "import of pydantic halted" in reason(summary)
    (control / "damaged").unlink()
    assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
    assert builds(control) == 2


def test_an_environment_in_use_is_not_built_anew_meanwhile(
    service: ServiceUnderTest, repository: GitRepository, wheels: Path, control: Path
) -> None:
    repository.commit({**fragile(wheels, control), "script.py": "def main():\n    import receiver\n"})
    user = service.create(git_script(repository))
    service.wait_for_state(user, "READY")
    (control / "damaged").touch()
    assert "cannot be used" in reason(service.run(git_script(repository)))
    assert "cannot be used" in reason(service.run(git_script(repository)))
    service.start(user)
    assert service.ended(user).state is ProcedureState.COMPLETE
    assert builds(control) == 1


def test_an_environment_that_was_completed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    environment = environment_of(tmp_path, "https://example.org/project", "0" * 40)
    environment.folder.mkdir()
    environment.created.set()
    # There is no project: to build it would fail.
    step = BuildStep(environment, tmp_path / "packages", 0, tmp_path / "temporary")
    assert step.run(print) == str(environment.python)
    assert environment.created.is_set()


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


def test_what_is_not_fetched_is_named_in_the_events_and_the_output_of_each_procedure(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepository(tmp_path / "repositories" / "other")
    other.commit({"helper.py": ""})
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{64 * '0'}\nsize 12345\n"
    repository.commit({"data/beam.npy": pointer, "data/notes.txt": "about " + pointer})
    repository.commit({"script.py": "def main(): pass\n"})
    repository.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.url, "other")
    commit = repository.commit({})
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))  # git, and not git-lfs
    # The second one finds the files checked out.
    for _ in range(2):
        summary = service.run(git_script(repository, commit=commit, create_env=False))
        assert summary.state is ProcedureState.COMPLETE, reason(summary)
        for found in (service.output(summary.id), " ".join(service.progress(summary.id))):
            assert "has submodules. They are not fetched" in found
            assert "keeps files in Git LFS: data/beam.npy. Their contents are not fetched" in found
            assert "as git-lfs is not installed on the host of this server" in found


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


def test_a_script_in_an_environment_behaves_like_a_program_and_ends_like_one(
    service: ServiceUnderTest, repository: GitRepository, tmp_path: Path
) -> None:
    text = f"""
import atexit, logging, multiprocessing, sys
from pathlib import Path

FOLDER = Path({str(tmp_path)!r})

def doubled(number):
    return 2 * number

def main():
    global kept
    logging.basicConfig(format="%(levelname)s|%(message)s", level="DEBUG", stream=sys.stdout)
    logging.debug("argv %s", [Path(each).name for each in sys.argv])
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(method, pool.map(doubled, [1]))
    atexit.register((FOLDER / "atexit").write_text, "done")
    kept = (FOLDER / "kept").open("w")
    kept.write("of a global")
"""
    repository.commit({**project_files("receiver"), "script.py": text})
    summary = service.run(git_script(repository))
    assert summary.state is ProcedureState.COMPLETE, reason(summary)
    said = ["DEBUG|argv ['script.py']", "fork [2]", "spawn [2]", "forkserver [2]"]
    assert service.output(summary.id).splitlines()[-4:] == said
    assert (tmp_path / "atexit").read_text() == "done"
    assert (tmp_path / "kept").read_text() == "of a global"
