"""Preparations that hang, are stopped, or lose their server."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from tests.support.git_projects import GitRepository, git_script, project_files
from tests.support.patience import PATIENCE
from tests.support.processes import ServerProcess
from tests.support.script_service import ServiceUnderTest, script_service

from ska_oso_oet.model import GitArgs, ProcedureState, script_to_json
from ska_oso_oet.procedure.domain import GitScript

PROJECT = {**project_files("receiver"), "script.py": "def main(): pass\n"}


@contextmanager
def hanging_build(control: Path) -> Iterator[psutil.Process]:
    """Wait until a build hangs, and give its process; after the context it goes on, if it still can."""
    # Opening succeeds when the build has come to the point where it reads.
    with open(control / "hang", "w"):
        yield psutil.Process(int((control / "builds").read_text().split()[-1]))


def has_ended(process: psutil.Process) -> bool:
    """Return whether a process ends within moments."""
    return process in psutil.wait_procs([process], timeout=PATIENCE)[0]


@contextmanager
def silent_git_server() -> Iterator[tuple[str, socket.socket]]:
    """Have a server that takes connections and says nothing; give a URL of a repository, and its socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield f"http://127.0.0.1:{server.getsockname()[1]}/project.git", server


def from_silence(url: str) -> GitScript:
    return GitScript("git:///script.py", GitArgs(url, "master"))


def is_closed_by_peer(connection: socket.socket) -> bool:
    """Return whether the peer of a connection ends it within moments."""
    connection.settimeout(PATIENCE)
    with connection:
        while connection.recv(1000):
            pass
    return True


def test_a_repository_that_says_nothing_is_given_up_in_time(state: Path) -> None:
    with (
        silent_git_server() as (url, server),
        script_service(state, environment_timeout=1) as service,
    ):
        procedure = service.create(from_silence(url))
        connection, _ = server.accept()
        summary = service.ended(procedure)
        assert is_closed_by_peer(connection)
    assert summary.state is ProcedureState.FAILED
    assert "took longer than 1 s (property EnvironmentTimeout)" in (summary.history.stacktrace or "")
    assert f"Its last progress: Fetching {url}." in (summary.history.stacktrace or "")


def test_dead_servers_keep_no_other_repository_waiting(
    service: ServiceUnderTest, repository: GitRepository
) -> None:
    repository.commit(PROJECT)
    with silent_git_server() as (url, server):
        dead = [service.create(from_silence(f"{url}/{number}")) for number in range(5)]
        connections = [server.accept()[0] for _ in dead]
        assert service.run(git_script(repository)).state is ProcedureState.COMPLETE
        for procedure, connection in zip(dead, connections, strict=True):
            service.stop(procedure)
            connection.close()


def test_a_stop_while_a_repository_is_fetched_works_at_once_and_ends_git(service: ServiceUnderTest) -> None:
    with silent_git_server() as (url, server):
        procedure = service.create(from_silence(url))
        connection, _ = server.accept()
        stopped = service.stop(procedure)
        assert is_closed_by_peer(connection)
    assert [state for state, _ in stopped.history.process_states][-2:] == ["PREP_ENV", "STOPPED"]


def test_a_build_that_hangs_is_ended_with_all_its_processes(
    state: Path, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    repository.commit(PROJECT)
    with script_service(state, environment_timeout=3) as service:
        procedure = service.create(git_script(repository))
        with hanging_build(control) as build:
            summary = service.ended(procedure)
            assert has_ended(build)
        assert summary.state is ProcedureState.FAILED
        assert "took longer than 3 s (property EnvironmentTimeout)" in (summary.history.stacktrace or "")
        assert "Installing" in (summary.history.stacktrace or "")


def test_a_stop_while_the_environment_is_built_works_at_once_and_ends_the_build(
    state: Path, service: ServiceUnderTest, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    repository.commit(PROJECT)
    procedure = service.create(git_script(repository))
    with hanging_build(control) as build:
        (temporary,) = (state / "git" / "scratch").iterdir()
        assert build.environ()["TMPDIR"] == str(temporary)
        assert build.environ()["GIT_TERMINAL_PROMPT"] == "0"
        stopped = service.stop(procedure)
        assert has_ended(build)
    assert [state for state, _ in stopped.history.process_states][-2:] == ["PREP_ENV", "STOPPED"]


def test_a_stop_of_one_does_not_end_the_build_that_another_waits_for(
    service: ServiceUnderTest, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    repository.commit(PROJECT)
    stopped, other = (service.create(git_script(repository)) for _ in range(2))
    for procedure in (stopped, other):
        service.wait_for_progress(procedure, "Installing")
    with hanging_build(control):
        assert service.stop(stopped).state is ProcedureState.STOPPED
    service.wait_for_state(other, "READY")
    assert len((control / "builds").read_text().split()) == 1


def test_a_build_that_lost_its_server_is_ended_and_done_anew(
    state: Path, repository: GitRepository, control: Path
) -> None:
    os.mkfifo(control / "hang")
    commit = repository.commit(PROJECT)
    script = git_script(repository)
    model = json.dumps(script_to_json(script))
    server = ServerProcess([sys.executable, "-m", "tests.support.script_service", str(state), model])
    try:
        server.wait_for_output("building")
        with hanging_build(control) as build:
            server.kill()
            assert has_ended(build)
    finally:
        server.kill()
    scratch = state / "git" / "scratch" / "unfinished"
    scratch.mkdir(parents=True)
    (control / "hang").unlink()
    with script_service(state) as service:
        assert service.run(git_script(repository, commit=commit)).state is ProcedureState.COMPLETE
    assert len((control / "builds").read_text().split()) == 2
    assert not scratch.exists()
