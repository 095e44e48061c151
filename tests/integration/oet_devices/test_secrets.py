"""Secrets of the server: no script, build or other process finds them, and state is for its owner alone."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.controller_site import Controller, ControllerSite
from tests.support.controllers import register_controller
from tests.support.git_projects import GitRepository, project_files
from tests.support.tango_stack import device_proxy, tango_database

LOOKS = """
import os
import pathlib

def look():
    pid = os.getpid()
    while pid > 1:
        folder = pathlib.Path(f"/proc/{pid}")
        environment = (folder / "environ").read_bytes()
        found = [e.split(b"=")[0].decode() for e in environment.split(bytes(1)) if b"hush" in e]
        yield " ".join([folder.joinpath("comm").read_text().strip(), *found])
        pid = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    yield " ".join(["own", *(name for name, value in os.environ.items() if "hush" in value)])
"""

SCRIPT = f"{LOOKS}\ndef main():\n    print(*look(), sep='\\n')\n"

SECRETS = {
    "OET_API_TOKEN": "hush-1",
    "PGPASSWORD": "hush-2",
    "ADMIN_POSTGRES_PASSWORD": "hush-3",
    "OF_THE_SITE": "hush-4",
}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ControllerSite]:
    """A controller whose site has a secret of its own, and a script that looks for secrets."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "looks.py").write_text(SCRIPT)
    (tmp_path / "tango").mkdir()
    with tango_database(tmp_path / "tango") as host:
        properties = {
            "ScriptRoots": [str(tmp_path / "scripts")],
            "GitRepositories": [f"{tmp_path.as_uri()}/*"],
            "SecretVariables": ["OF_THE_SITE"],
        }
        yield ControllerSite(host, "mid-oet/controller/01", tmp_path / "state", properties)


def test_no_script_finds_a_secret_in_any_environment(site: ControllerSite, tmp_path: Path) -> None:
    with site.served(env={**SECRETS, "NO_SECRET": "hush-5"}) as controller:
        procedure_id = controller.create(tmp_path / "scripts" / "looks.py")
        controller.run("Start", str(procedure_id))
        lines = controller.output(procedure_id)
        assert lines[-1] == "own NO_SECRET"
        ancestors = [line.split()[1:] for line in lines[:-1]]
        # The script, the forkserver and the server; then the processes that have started the test.
        assert ancestors[:3] == [["NO_SECRET"]] * 3
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
        assert {modes[name] for name in ("journal.sqlite", "journal.sqlite-wal", "journal.lock")} == {0o600}
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_no_build_of_an_environment_finds_a_secret(site: ControllerSite, tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "repository")
    files = project_files("zebra") | {"script.py": "def main(): pass\n"}
    # What is built is the code of a repository: as little to be trusted as a script.
    files["backend.py"] += (
        f"{LOOKS}\n(pathlib.Path(os.environ['TEST_CONTROL']) / 'seen').write_text('\\n'.join(look()))\n"
    )
    repository.commit(files)
    script = {"script_type": "git", "script_uri": "git:///script.py", "create_env": True}
    request = {"script": {**script, "git_args": {"git_repo": repository.url}}}
    with site.served(env={**SECRETS, "NO_SECRET": "hush-5", "TEST_CONTROL": str(tmp_path)}) as controller:
        controller.run("Create", json.dumps(request))
    lines = (tmp_path / "seen").read_text().splitlines()
    assert lines[-1] == "own NO_SECRET"
    # The builder, uv, the step's process, the forkserver and the server; then those that started the test.
    assert [line.split()[1:] for line in lines[:5]] == [["NO_SECRET"]] * 5


def test_what_one_controller_keeps_from_its_scripts_reaches_those_of_no_other(
    site: ControllerSite, tmp_path: Path
) -> None:
    # The one that is made first does not know a secret itself.
    first = "mid-oet/controller/00"
    scripts, instance = [str(tmp_path / "scripts")], site.device.replace("/", "-")
    register_controller(site.tango_host, first, tmp_path / "first", instance=instance, ScriptRoots=scripts)
    with site.served(env={**SECRETS, "NO_SECRET": "hush-5"}) as controller:
        other = Controller(device_proxy(site.tango_host, first), controller.process)
        procedure_id = other.create(tmp_path / "scripts" / "looks.py")
        other.run("Start", str(procedure_id))
        assert other.output(procedure_id)[-1] == "own NO_SECRET"
