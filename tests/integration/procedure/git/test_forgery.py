"""Changes of a script in the state directory do not affect later scripts."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository, git_script, make_wheel, project_files
from tests.support.script_service import ServiceUnderTest, script_service

from ska_oso_oet.model import ProcedureState
from ska_oso_oet.procedure.preparation.mirrors import ForgedMirrorError, verify_commit

TRUE = "def main(): print('true')\n"
FORGED = "def main(): print('forged')\n"


def run(service: ServiceUnderTest, repository: GitRepository, **options: object) -> str:
    """Run a script from the repository and return the last line of its output."""
    summary = service.run(git_script(repository, **options))  # type: ignore[arg-type]
    assert summary.state is ProcedureState.COMPLETE, summary.history.stacktrace
    return service.output(summary.id).splitlines()[-1]


def mirror_of(state: Path) -> Path:
    """Return the only mirror."""
    (mirror,) = (state / "git" / "mirrors").iterdir()
    return mirror


def blob_id(text: str) -> str:
    """Return the name that git gives to a text."""
    return hashlib.sha1(f"blob {len(text)}\0{text}".encode(), usedforsecurity=False).hexdigest()


def write_object(mirror: Path, name: str, text: str) -> None:
    """Put a text into a mirror, under any name."""
    path = mirror / "objects" / name[:2] / name[2:]
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(zlib.compress(f"blob {len(text)}\0{text}".encode()))


def forge_object(mirror: Path) -> None:
    """Put another text under the hash of the script."""
    write_object(mirror, blob_id(TRUE), FORGED)


def forge_replacement(mirror: Path) -> None:
    """Have git read another object in place of the script."""
    write_object(mirror, blob_id(FORGED), FORGED)
    place = mirror / "refs" / "replace" / blob_id(TRUE)
    place.parent.mkdir()
    place.write_text(f"{blob_id(FORGED)}\n")


@pytest.mark.parametrize("forge", [forge_object, forge_replacement])
@pytest.mark.parametrize("named", ["by hash", "by branch"])
def test_a_script_that_is_changed_in_the_mirror_runs_as_it_was_committed(
    service: ServiceUnderTest, repository: GitRepository, state: Path, forge: object, named: str
) -> None:
    first = repository.commit({"script.py": "def main(): print('first')\n"})
    second = repository.commit({"script.py": TRUE, "folder/more.py": "", "folder/deep/most.py": "x = 1\n"})
    run(service, repository, commit=first, create_env=False)
    forge(mirror_of(state))  # type: ignore[operator]
    commit = second if named == "by hash" else None
    assert run(service, repository, commit=commit, create_env=False) == "true"


def test_a_replaced_commit_does_not_make_others_a_part_of_a_branch(
    service: ServiceUnderTest, repository: GitRepository, state: Path
) -> None:
    """Git would read the replacement in place of the branch's newest commit, and find others behind it."""
    published = repository.commit({"script.py": TRUE})
    repository.git("checkout", "--quiet", "--detach")
    proposed = repository.commit({"script.py": FORGED})
    repository.git("update-ref", "refs/pull/1/head", proposed)
    repository.git("checkout", "--quiet", "master")
    run(service, repository, commit=published, create_env=False)
    mirror = GitRepository.at(mirror_of(state))
    mirror.git("fetch", "--quiet", repository.url, "refs/pull/1/head")
    replacement = mirror.git("commit-tree", "-p", proposed, "-m", "forged", f"{published}^{{tree}}")
    mirror.git("update-ref", f"refs/replace/{published}", replacement)
    summary = service.run(git_script(repository, commit=proposed, create_env=False))
    assert summary.state is ProcedureState.FAILED
    assert "no branch or tag that contains commit" in (summary.history.stacktrace or "")


def test_a_changed_folder_is_noticed(
    service: ServiceUnderTest, repository: GitRepository, state: Path
) -> None:
    commit = repository.commit({"script.py": TRUE, "folder/more.py": "", "folder/deep/most.py": "x = 1\n"})
    run(service, repository, create_env=False)
    mirror = mirror_of(state)
    verify_commit(mirror, commit)
    write_object(mirror, blob_id("x = 1\n"), "x = 2\n")
    with pytest.raises(ForgedMirrorError, match="another blob"):
        verify_commit(mirror, commit)


def test_a_mirror_runs_no_program_and_goes_to_no_other_place(
    service: ServiceUnderTest, repository: GitRepository, state: Path, tmp_path: Path
) -> None:
    repository.commit({"script.py": "def main(): print('first')\n"})
    run(service, repository, create_env=False)
    mirror, trace = mirror_of(state), tmp_path / "trace"
    evil = GitRepository(tmp_path / "repositories" / "evil")
    evil.commit({"script.py": FORGED})
    hook = mirror / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {trace}\n")
    hook.chmod(0o755)
    with (mirror / "config").open("a") as settings:
        settings.write(f'[url "{evil.url}"]\n\tinsteadOf = {repository.url}\n')
    repository.commit({"script.py": TRUE})
    assert run(service, repository, create_env=False) == "true"
    assert not trace.exists()


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, wheels: Path) -> None:
    """Have uv keep its packages in the state directory, as it does at a site that chooses nothing."""
    monkeypatch.delenv("UV_CACHE_DIR")


@pytest.fixture
def sites_own(own_cache: None, state: Path) -> Iterator[ServiceUnderTest]:
    """A service with the packages in its state directory."""
    with script_service(state) as service:
        yield service


SCRIPT = "import zebra\ndef main(): print(zebra.VERSION)\n"


def forge_packages(state: Path) -> None:
    """Change a module in all packages that are kept."""
    modules = list((state / "git" / "packages").rglob("zebra.py"))
    assert modules
    for module in modules:
        module.write_text("VERSION = 'forged'\n")


@pytest.mark.parametrize("server", ["the same", "the next"])
def test_a_package_that_is_changed_in_the_cache_is_not_installed(
    own_cache: None, state: Path, repository: GitRepository, wheels: Path, server: str
) -> None:
    make_wheel(wheels, "zebra", "1.0", {"zebra.py": "VERSION = 'true'\n"})
    files = {**project_files("one", requires="zebra"), "script.py": SCRIPT}
    with script_service(state) as service:
        repository.commit(files)
        assert run(service, repository) == "true"
        assert (state / "git" / "packages").is_dir()
        if server == "the same":
            forge_packages(state)
            repository.commit({"more": "1"})
            assert run(service, repository) == "true"
    if server == "the next":
        forge_packages(state)
        repository.commit({"more": "2"})
        with script_service(state) as service:
            assert run(service, repository) == "true"


def test_an_unchanged_cache_is_used_again(
    sites_own: ServiceUnderTest, state: Path, repository: GitRepository, wheels: Path
) -> None:
    make_wheel(wheels, "zebra", "1.0", {"zebra.py": "VERSION = 'true'\n"})
    repository.commit({**project_files("one", requires="zebra"), "script.py": SCRIPT})
    run(sites_own, repository)
    kept = (state / "git" / "packages").stat().st_ino
    repository.commit({"more": "1"})
    assert run(sites_own, repository) == "true"
    assert (state / "git" / "packages").stat().st_ino == kept


@pytest.mark.parametrize("folder", ["source", "venv"])
def test_a_script_that_forges_the_inventory_too_changes_nothing(
    service: ServiceUnderTest, state: Path, repository: GitRepository, wheels: Path, folder: str
) -> None:
    make_wheel(wheels, "zebra", "1.0", {"zebra.py": "VERSION = 'true'\n"})
    repository.commit({**project_files("one", requires="zebra"), "script.py": SCRIPT, "data.txt": "x"})
    run(service, repository)
    (environment,) = (state / "git" / "environments").iterdir()
    if folder == "source":
        (environment / "source" / "script.py").write_text(FORGED)
    else:
        (module,) = (environment / "venv").rglob("zebra.py")
        module.write_text("VERSION = 'forged'\n")
    inventory = environment / f"{folder}.inventory.json"
    recorded = json.loads(inventory.read_text())
    for name in recorded:
        status = (environment / folder / name).lstat()
        recorded[name] = [status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    inventory.write_text(json.dumps(recorded))
    assert run(service, repository) == "true"
