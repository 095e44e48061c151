"""Scripts come from below the script roots, by whatever way they are named."""

import os
from pathlib import Path

import pytest

from ska_oso_oet.procedure.domain import FileSystemScript, ScriptNotAllowedError, ScriptNotFoundError
from ska_oso_oet.procedure.domain.roots import ScriptRoots

SOURCE = "def main(): ...\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two roots with scripts, and a folder beside them that is none."""
    for name in (
        "root/observe.py",
        "root/sub dir/Größe.py",
        "root/_helper.py",
        "root/.hidden.py",
        "root/notes.txt",
        "root/__pycache__/cached.py",
        "root/.git/hook.py",
        "root/.venv/lib/module.py",
        "other/observe.py",
        "other/allocate.py",
        "outside/secret.py",
        "root-like/observe.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)
    (tmp_path / "root/folder.py").mkdir()
    return tmp_path


@pytest.fixture
def roots(folder: Path) -> ScriptRoots:
    """The two roots."""
    return ScriptRoots.of([folder / "root", folder / "other"])


def find(roots: ScriptRoots, path: Path | str) -> Path:
    return roots.find(FileSystemScript(f"file://{path}"))


def names(roots: ScriptRoots) -> list[str]:
    return [path.name for path in roots.files()]


def test_a_script_below_a_root_is_found(roots: ScriptRoots, folder: Path) -> None:
    assert find(roots, folder / "root/observe.py") == folder / "root/observe.py"
    assert find(roots, f"{folder}/root/sub%20dir/Gr%C3%B6%C3%9Fe.py") == folder / "root/sub dir/Größe.py"


def test_a_relative_path_is_looked_for_in_all_roots_in_order(roots: ScriptRoots, folder: Path) -> None:
    assert find(roots, "observe.py") == folder / "root/observe.py"
    assert find(roots, "allocate.py") == folder / "other/allocate.py"
    with pytest.raises(ScriptNotFoundError, match="there is no script"):
        find(roots, "nowhere.py")


@pytest.mark.parametrize(
    "path",
    [
        "{0}/outside/secret.py",
        "{0}/root/../outside/secret.py",
        "{0}/root/%2E%2E/outside/secret.py",
        "{0}/root/..%2Foutside%2Fsecret.py",
        "{0}/root/sub%20dir/../../outside/secret.py",
        "{0}/root-like/observe.py",
        "../outside/secret.py",
        "sub%20dir/../../outside/secret.py",
        "/etc/passwd",
        "/",
        "{0}/outside/there/is/no/such/file.py",
    ],
)
def test_what_is_outside_is_refused_whether_it_exists_or_not(
    roots: ScriptRoots, folder: Path, path: str
) -> None:
    with pytest.raises(ScriptNotAllowedError, match=r"is not below a script root .* property ScriptRoots"):
        find(roots, path.format(folder))


def test_a_link_counts_as_what_it_leads_to(roots: ScriptRoots, folder: Path) -> None:
    (folder / "root/inside.py").symlink_to(folder / "other/allocate.py")
    (folder / "root/escape.py").symlink_to(folder / "outside/secret.py")
    (folder / "root/way_out").symlink_to(folder / "outside")
    (folder / "way_in").symlink_to(folder / "root")
    assert find(roots, folder / "root/inside.py") == folder / "other/allocate.py"
    assert find(roots, folder / "way_in/observe.py") == folder / "root/observe.py"
    for path in ("root/escape.py", "root/way_out/secret.py"):
        with pytest.raises(ScriptNotAllowedError):
            find(roots, folder / path)


def test_a_root_may_be_a_link(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "root")
    roots = ScriptRoots.of([folder / "link"])
    assert find(roots, folder / "link/observe.py") == folder / "root/observe.py"


def test_links_that_lead_nowhere(roots: ScriptRoots, folder: Path) -> None:
    (folder / "root/dangling.py").symlink_to(folder / "root/gone.py")
    (folder / "root/circle.py").symlink_to(folder / "root/circle2.py")
    (folder / "root/circle2.py").symlink_to(folder / "root/circle.py")
    with pytest.raises(ScriptNotFoundError):
        find(roots, folder / "root/dangling.py")
    with pytest.raises((ScriptNotFoundError, ScriptNotAllowedError)):
        find(roots, folder / "root/circle.py")
    assert "observe.py" in names(roots)


@pytest.mark.parametrize(
    "name", ["folder.py", "gone.py", "observe.py/deeper.py", "x" * 300 + ".py", "pipe.py"]
)
def test_what_is_no_file_is_not_found(roots: ScriptRoots, folder: Path, name: str) -> None:
    os.mkfifo(folder / "root/pipe.py")
    with pytest.raises(ScriptNotFoundError, match="check the path of"):
        find(roots, folder / "root" / name)


def test_a_path_that_no_system_takes_is_refused(roots: ScriptRoots, folder: Path) -> None:
    with pytest.raises((ScriptNotFoundError, ScriptNotAllowedError)):
        find(roots, folder / "root" / ("x/" * 3000) / "a.py")


def test_without_roots_nothing_may_be_run() -> None:
    with pytest.raises(ScriptNotAllowedError, match="none is configured"):
        find(ScriptRoots.of([]), "/etc/passwd")


def test_the_list_holds_what_can_be_run_and_nothing_else(roots: ScriptRoots, folder: Path) -> None:
    (folder / "root/inside.py").symlink_to(folder / "other/allocate.py")
    (folder / "root/escape.py").symlink_to(folder / "outside/secret.py")
    (folder / "root/dangling.py").symlink_to(folder / "root/gone.py")
    (folder / "root/circle.py").symlink_to(folder / "root/circle.py")
    listed = list(roots.files())
    assert listed == [
        folder / name
        for name in (
            "root/inside.py",
            "root/observe.py",
            "root/sub dir/Größe.py",
            "other/allocate.py",
            "other/observe.py",
        )
    ]
    for path in listed:
        roots.find(FileSystemScript(path.as_uri()))


def test_roots_within_each_other_list_a_script_once(folder: Path) -> None:
    roots = ScriptRoots.of([folder / "root", folder / "root/sub dir", folder / "root"])
    assert names(roots) == ["observe.py", "Größe.py"]


def test_a_root_that_vanishes_is_an_empty_one(folder: Path) -> None:
    (folder / "fleeting").mkdir()
    roots = ScriptRoots.of([folder / "fleeting"])
    (folder / "fleeting").rmdir()
    assert names(roots) == []


@pytest.mark.parametrize("path", ["relative/folder", "{0}/gone", "{0}/root/observe.py", ""])
def test_what_cannot_be_a_root(folder: Path, path: str) -> None:
    with pytest.raises(ValueError, match="is not the absolute path of an existing folder"):
        ScriptRoots.of([path.format(folder)])
