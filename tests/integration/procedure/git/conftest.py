"""Git repositories, packages to install, and a service that runs scripts from git."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository
from tests.support.script_service import ServiceUnderTest, script_service


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the files that control build backends, and count their builds."""
    folder = tmp_path / "control"
    folder.mkdir()
    monkeypatch.setenv("TEST_CONTROL", str(folder))
    return folder


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that uv keeps what it has found out in."""
    return tmp_path_factory.mktemp("uv_cache")


@pytest.fixture
def wheels(tmp_path: Path, control: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the only packages that can be installed."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(cache))
    return folder


@pytest.fixture
def repository(tmp_path: Path, wheels: Path) -> GitRepository:
    """An empty repository."""
    return GitRepository(tmp_path / "repositories" / "project")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """State directory of a service."""
    return tmp_path / "state"


@pytest.fixture
def service(state: Path, wheels: Path) -> Iterator[ServiceUnderTest]:
    """A service that prepares the scripts that it is given."""
    with script_service(state) as service:
        yield service
