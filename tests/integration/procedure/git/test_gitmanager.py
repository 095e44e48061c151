"""The commit of a branch, a tag or a hash, in real repositories."""

from pathlib import Path

import pytest
from tests.support.git_projects import GitRepository

from ska_oso_oet.procedure.gitmanager import (
    GitArgs,
    GitError,
    UnknownRevisionError,
    check_out,
    find_commit,
)


class Mirror:
    """The mirror of a repository, and the steps of looking into it."""

    def __init__(self, path: Path, repository: GitRepository) -> None:
        self.path = path
        self._repository = repository
        self.steps: list[str] = []

    def find(self, branch: str | None = "master", commit: str | None = None) -> str:
        """Return the commit, and note the steps that it took."""
        self.steps.clear()
        return find_commit(GitArgs(self._repository.url, branch, commit), self.path, self.steps.append)


@pytest.fixture
def mirror(tmp_path: Path, repository: GitRepository) -> Mirror:
    return Mirror(tmp_path / "mirror.git", repository)


def test_a_branch_is_its_newest_commit(repository: GitRepository, mirror: Mirror) -> None:
    for content in ("1", "2"):
        commit = repository.commit({"a": content})
        assert mirror.find("master") == commit


def test_a_branch_that_was_rewritten_is_followed(repository: GitRepository, mirror: Mirror) -> None:
    repository.commit({"a": "1"})
    mirror.find()
    repository.git("commit", "--quiet", "--amend", "--message", "another history")
    assert mirror.find() == repository.git("rev-parse", "HEAD")


def test_without_a_branch_it_is_that_of_the_repository_s_head(
    repository: GitRepository, mirror: Mirror
) -> None:
    repository.commit({"a": "1"})
    repository.git("checkout", "--quiet", "-b", "main")
    newest = repository.commit({"a": "2"})
    assert mirror.find(None) == newest


def test_a_shallow_clone_is_a_repository_like_others(tmp_path: Path, repository: GitRepository) -> None:
    repository.commit({"a": "1"})
    commit = repository.commit({"a": "2", "b": "3"})
    repository.git("clone", "--quiet", "--depth=1", repository.url, str(tmp_path / "shallow"))
    mirror = tmp_path / "mirror.git"
    for branch, hash_ in (("master", None), (None, None), ("master", commit[:10]), ("master", commit)):
        args = GitArgs(str(tmp_path / "shallow"), branch, hash_)
        assert find_commit(args, mirror, print) == commit
    check_out(commit, mirror, tmp_path / "source", print, repository.url)
    assert (tmp_path / "source" / "a").read_text() == "2"
    # A commit that came later, while its mirror is shallow.
    shallow = GitRepository.at(tmp_path / "shallow")
    later = shallow.commit({"a": "4"})
    assert find_commit(GitArgs(shallow.url), mirror, print) == later
    check_out(later, mirror, tmp_path / "later", print, repository.url)
    assert (tmp_path / "later" / "a").read_text() == "4"


@pytest.mark.parametrize("annotated", [True, False])
def test_a_tag_can_be_given_as_branch_or_as_commit(
    repository: GitRepository, mirror: Mirror, annotated: bool
) -> None:
    tagged = repository.commit({"a": "1"})
    repository.git("tag", *(["--annotate", "--message", "x"] if annotated else []), "v1.0")
    repository.commit({"a": "2"})
    assert mirror.find("v1.0") == mirror.find(commit="v1.0") == tagged


def test_of_a_branch_and_a_tag_of_one_name_each_is_what_it_is_asked_for_as(
    repository: GitRepository, mirror: Mirror
) -> None:
    tagged = repository.commit({"a": "1"})
    repository.git("tag", "v1.0")
    repository.git("checkout", "--quiet", "-b", "v1.0")
    newest = repository.commit({"a": "2"})
    assert (mirror.find("v1.0"), mirror.find(commit="v1.0")) == (newest, tagged)


def test_a_commit_has_precedence_over_the_branch(repository: GitRepository, mirror: Mirror) -> None:
    first = repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    assert mirror.find("nonexistent", first) == first


@pytest.mark.parametrize("length", [7, 12, 40])
def test_a_known_commit_needs_no_repository(repository: GitRepository, mirror: Mirror, length: int) -> None:
    first = repository.commit({"a": "1"})
    repository.commit({"a": "2"})
    mirror.find()
    repository.path.rename(repository.path.with_name("gone"))
    assert mirror.find(commit=first[:length]) == first
    assert mirror.find(commit=first[:length].upper()) == first
    assert mirror.steps == []


@pytest.mark.parametrize("digits", [40, 10])
@pytest.mark.parametrize("in_mirror", [False, True])
def test_a_commit_that_no_branch_or_tag_contains_is_refused(
    repository: GitRepository, mirror: Mirror, digits: int, in_mirror: bool
) -> None:
    repository.commit({"a": "1"})
    # As a server keeps the changes that anybody has proposed.
    repository.git("checkout", "--quiet", "--detach")
    proposed = repository.commit({"a": "2"})
    repository.git("update-ref", "refs/pull/1/head", proposed)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repository.git("checkout", "--quiet", "master")
    if in_mirror:
        # A branch that contained it has been removed since.
        repository.git("branch", "removed", proposed)
        assert mirror.find("removed") == proposed
        repository.git("branch", "--delete", "--force", "removed")
        mirror.find("master")
    with pytest.raises(
        UnknownRevisionError,
        match=r"branch or tag that contains|branches and tags do not contain exactly one commit",
    ):
        mirror.find(commit=proposed[:digits])
    repository.git("tag", "accepted", proposed)
    assert mirror.find(commit=proposed[:digits]) == proposed


def test_a_branch_named_like_a_hash_is_not_taken_for_one(repository: GitRepository, mirror: Mirror) -> None:
    commit = repository.commit({"a": "1"})
    repository.git("checkout", "--quiet", "-b", commit[:7])
    other = repository.commit({"a": "2"})
    assert mirror.find(commit[:7]) == other
    with pytest.raises(GitError):
        mirror.find(commit="0" * 7)


@pytest.mark.parametrize(
    ("branch", "commit", "reason"),
    [
        ("nonexistent", None, r"no branch or tag 'nonexistent'.* branches are feature, master\."),
        ("master", "v9", "no tag 'v9'"),
        ("master", "abcdef1", "not contain exactly one commit"),
        ("master", "0" * 40, "no branch or tag that contains commit 0000"),
    ],
)
def test_an_unknown_branch_or_commit_is_said_to_be_unknown(
    repository: GitRepository, mirror: Mirror, branch: str, commit: str | None, reason: str
) -> None:
    repository.commit({"a": "1"})
    repository.git("branch", "feature")
    with pytest.raises(GitError, match=reason):
        mirror.find(branch, commit)


def test_an_empty_repository_has_no_branches(mirror: Mirror) -> None:
    with pytest.raises(GitError, match="none at all"):
        mirror.find()


def test_locks_of_a_git_that_was_killed_are_no_obstacle(repository: GitRepository, mirror: Mirror) -> None:
    repository.commit({"a": "1"})
    mirror.find()
    for lock in ("packed-refs.lock", "config.lock", "refs/heads/master.lock"):
        (mirror.path / lock).touch()
    newest = repository.commit({"a": "2"})
    assert mirror.find() == newest


def test_half_a_download_of_a_git_that_was_killed_is_removed(
    repository: GitRepository, mirror: Mirror
) -> None:
    repository.commit({"a": "1"})
    mirror.find()
    half = [mirror.path / "objects" / "pack" / "tmp_pack_x1", mirror.path / "objects" / "ab" / "tmp_obj_x2"]
    for path in half:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half of it")
    mirror.find()
    assert not any(path.exists() for path in half)
