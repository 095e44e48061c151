"""Scripts in git: mirrors of repositories, and checkouts of commits.

Of each repository there is one bare mirror, which is fetched into as needed; of each commit that is used, a
folder with its files. Each function may wait for the network: it runs in a process of its own, one at a time
for one repository.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ska_oso_oet.model import GitArgs, GitScript, OetError

from .preparation import large_files

if TYPE_CHECKING:
    import git

__all__ = [
    "GitArgs",
    "GitError",
    "Report",
    "UnknownRevisionError",
    "check_out",
    "find_commit",
    "find_script",
    "is_sound",
    "prepare_process",
    "read_notes",
]

PROTOCOLS = ("https", "ssh", "git", "http", "file")
"""Schemes of the URLs that repositories may have."""

Report = Callable[[str], None]
"""Called with the progress of a preparation."""

_HASH = re.compile(r"[0-9a-fA-F]{4,40}")
_PERCENTAGE = re.compile(r"(Receiving objects|Resolving deltas): +(\d+)%")
_OTHER_PERCENTAGE = re.compile(r".*: +\d+% \(\d+/\d+\)")
_COMPLAINT = re.compile(r"^(remote: )?(fatal|error|ssh)\b|host key|permission denied", re.IGNORECASE)
_MAX_COMPLAINT = 400
_LISTED_BRANCHES = 10
_NOTES = Path(".git", "oet-notes")
_LEFTOVERS = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/??/tmp_*")


class GitError(OetError, RuntimeError):
    """A git command has failed. The message says what happened, and what to do."""


class UnknownRevisionError(GitError):
    """The repository has no such branch, tag or commit."""


def find_commit(args: GitArgs, mirror: Path, report: Report) -> str:
    """Return the full hash of the requested commit, and fetch it into the mirror if it is not there.

    The output of git goes to standard output.

    :param args: repository and commit; checked before, because it reaches command lines
    :param mirror: the repository's mirror; created if there is none
    :param report: called with the progress
    :raises UnknownRevisionError: if the repository has no such commit
    :raises GitError: if the repository cannot be reached, or its mirror is damaged
    """
    # Imported late: it looks for git and takes a while, which no other process needs.
    try:
        import git
    except ImportError as error:
        raise GitError(
            "Git cannot be run on the host of this server: install it, or add its folder to PATH."
        ) from error

    _remove_leftovers(mirror)
    try:
        with git.Repo.init(mirror, bare=True) as repository:
            return _find_commit(repository, args, report)
    except (git.GitCommandError, git.InvalidGitRepositoryError) as error:
        _relay(str(error))
        raise GitError(f"The mirror of the repository {args.repository} cannot be used.") from error


def is_sound(mirror: Path) -> bool:
    """Return whether all objects of a mirror can be read. That may take a while.

    :param mirror: the mirror of a repository; without git, True
    """
    check = ["git", "--git-dir", str(mirror), "fsck", "--connectivity-only", "--no-dangling", "--no-progress"]
    try:
        return subprocess.run(check, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return True


def check_out(commit: str, mirror: Path, target: Path, report: Report, repository: str) -> None:
    """Write the files of a commit into a new folder.

    :param commit: full hash of a commit in the mirror
    :param mirror: the repository's mirror
    :param target: the new folder; it must not exist
    :param report: called with the progress
    :param repository: URL of the repository
    :raises GitError: if that fails
    """
    import git

    report(f"Checking out commit {commit}")
    try:
        # A repository of its own, for tools that learn a project's version from git.
        with git.Repo(mirror).clone(str(target), shared=True, no_checkout=True) as clone:
            clone.git.checkout("--quiet", "--detach", commit)
    except git.GitCommandError as error:
        _relay(str(error.stderr))
        raise GitError(f"The files of commit {commit} cannot be written.") from error
    try:
        notes = [*_missing(target), *large_files.fetch(target, repository, mirror / "lfs", report)]
    except subprocess.CalledProcessError as error:
        _relay(error.stdout)
        reason = textwrap.shorten(error.stdout, _MAX_COMPLAINT, placeholder=" …")
        raise GitError(
            f"The files that the repository {repository} keeps in Git LFS cannot be fetched ({reason}): try "
            "again if it was the network, or have its .lfsconfig exclude them (lfs.fetchexclude)."
        ) from error
    (target / _NOTES).write_text("".join(f"{note}\n" for note in notes), encoding="utf-8")


def read_notes(source: Path) -> list[str]:
    """Return the missing parts of the files of a commit, in sentences for people.

    :param source: folder with the files of the commit
    """
    try:
        return (source / _NOTES).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _missing(target: Path) -> Iterator[str]:
    """Yield the missing parts of checked-out files, in sentences for people."""
    if (target / ".gitmodules").exists():
        # They may be in repositories that are not allowed.
        yield "The repository has submodules. They are not fetched: have its project require them instead."


def find_script(script: GitScript, source: Path) -> Path:
    """Return the file of a script, with all links resolved.

    :param script: the script
    :param source: folder with the files of its commit
    :raises GitError: if it is not among the files of its repository
    """
    args = script.git_args
    top = source.resolve()
    path = (top / script.path).resolve()
    if not path.is_relative_to(top) or not path.is_file():
        raise GitError(
            f"The repository {args.repository} has no file '{script.path}' at {args.revision}: "
            "check the path, which begins at the top of the repository."
        )
    return path


def prepare_process() -> None:
    """Set environment variables so that git asks no questions and does not act on another repository."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        os.environ.pop(name, None)
    # Not one by one during a checkout, but all at once afterwards, if that is allowed.
    os.environ["GIT_LFS_SKIP_SMUDGE"] = "1"
    os.environ["GIT_NO_REPLACE_OBJECTS"] = "1"
    os.environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    os.environ.update(
        GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="", SSH_ASKPASS="", GIT_ALLOW_PROTOCOL=":".join(PROTOCOLS)
    )


def _find_commit(repository: "git.Repo", args: GitArgs, report: Report) -> str:
    # The commit of a hash never changes, but that of a name may.
    if args.git_commit is not None and (commit := _by_hash(repository, args.git_commit)):
        return commit
    report(f"Fetching {args.repository}")
    branches_and_tags = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    head = ["+HEAD:refs/oet/head"] if args.git_commit is None and args.git_branch is None else []
    _fetch(repository, args.repository, [*branches_and_tags, *head], report)
    if commit := next(_candidates(repository, args), None):
        return commit
    if args.full_hash is not None:
        raise UnknownRevisionError(
            f"The repository {args.repository} has no branch or tag that contains commit {args.full_hash}: "
            "merge the commit or tag it, or name another one."
        )
    branches = [branch.name for branch in list(repository.heads)[:_LISTED_BRANCHES]]
    if args.git_commit is None:
        missing = f"no branch or tag {args.revision}"
    else:
        missing = (
            f"no tag {args.revision}, and its branches and tags do not contain exactly one commit whose "
            "hash begins with it"
        )
    raise UnknownRevisionError(
        f"The repository {args.repository} has {missing}; "
        f"its branches are {', '.join(branches) or 'none at all'}."
    )


def _candidates(repository: "git.Repo", args: GitArgs) -> Iterator[str]:
    """Yield the possible meanings of the arguments, most likely first."""
    if args.git_commit is not None:
        if commit := _by_hash(repository, args.git_commit):
            yield commit
        places = [f"refs/tags/{args.git_commit}", f"refs/heads/{args.git_commit}"]
    elif args.git_branch is not None:
        places = [f"refs/heads/{args.git_branch}", f"refs/tags/{args.git_branch}"]
    else:
        places = ["refs/oet/head"]
    yield from filter(None, (_parse(repository, place) for place in places))


def _by_hash(repository: "git.Repo", text: str) -> str | None:
    """Return the commit with this hash, or whose hash begins with it; None if no branch or tag has it."""
    if not _HASH.fullmatch(text):
        return None
    commit = _parse(repository, text)
    # A branch may have a name that looks like a hash, and git prefers it.
    if commit is None or not commit.startswith(text.lower()):
        return None
    return commit if _is_published(repository, commit) else None


def _is_published(repository: "git.Repo", commit: str) -> bool:
    """Return whether a branch or a tag contains a commit.

    Anybody who may propose a change can make a server offer commits of their own by their hashes.
    """
    containing = repository.git.for_each_ref("--count=1", f"--contains={commit}", "refs/heads", "refs/tags")
    return bool(containing)


def _parse(repository: "git.Repo", revision: str) -> str | None:
    import git

    try:
        return str(repository.git.rev_parse("--verify", "--quiet", f"{revision}^{{commit}}"))
    except git.GitCommandError:
        return None


def _fetch(repository: "git.Repo", url: str, refspecs: list[str], report: Report) -> None:
    """Fetch into a mirror.

    :raises GitError: if that fails
    """
    import git

    command = ["git", "-c", "gc.autoDetach=false", "fetch", "--progress", "--prune", "--force", "--no-tags"]
    # A repository may be a shallow clone itself: its own commits count.
    command.append("--update-shallow")
    fetch = repository.git.execute(
        [*command, "--", url, *refspecs], as_process=True, universal_newlines=True, with_stdout=False
    )
    shown = -1
    complaints = []
    for line in fetch.stderr:
        if match := _PERCENTAGE.match(line):
            if (tenth := int(match[2]) // 10) != shown:
                shown = tenth
                report(f"{match[1]}: {match[2]} %")
        elif not _OTHER_PERCENTAGE.match(line):
            _relay(line)
            if _COMPLAINT.search(line):
                complaints.append(line)
    try:
        fetch.wait()
    except git.GitCommandError as error:
        reason = textwrap.shorten(" ".join(complaints), _MAX_COMPLAINT, placeholder=" …")
        raise GitError(
            f"The repository {url} cannot be fetched ({reason or 'git does not say why'}): check its "
            "address, that it can be reached from here, and that the account of this server may read it."
        ) from error


def _remove_leftovers(mirror: Path) -> None:
    """Remove the locks and partial downloads of a killed git: no other process uses the mirror now."""
    for pattern in _LEFTOVERS:
        for path in mirror.glob(pattern):
            path.unlink(missing_ok=True)


def _relay(text: str) -> None:
    sys.stdout.write(text.rstrip() + "\n")
