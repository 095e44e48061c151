"""Scripts in git: what identifies them, and how their files get here.

Of each repository there is one bare mirror, which is fetched into as needed; of each commit that is
used, a folder with its files. What is here may take as long as a network does: it runs in a process of
its own, one at a time for one repository.
"""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import git

DEFAULT_REPOSITORY = "https://gitlab.com/ska-telescope/oso/ska-oso-scripting.git"

PROTOCOLS = ("https", "ssh", "git", "http", "file")
"""Schemes of the URLs that repositories may have."""

Report = Callable[[str], None]
"""Tells those who wait how far a preparation has come."""

_HASH = re.compile(r"[0-9a-fA-F]{4,40}")
_FULL_HASH = re.compile(r"[0-9a-f]{40}")
_PERCENTAGE = re.compile(r"(Receiving objects|Resolving deltas): +(\d+)%")
_OTHER_PERCENTAGE = re.compile(r".*: +\d+% \(\d+/\d+\)")
_COMPLAINT = re.compile(r"^(remote: )?(fatal|error|ssh)\b|host key|permission denied", re.IGNORECASE)
_MAX_COMPLAINT = 400
_LISTED_BRANCHES = 10
_LEFTOVERS = ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/??/tmp_*")


class GitError(RuntimeError):
    """Git could not do what was asked of it. The message says what, and what to do."""


class UnknownRevision(GitError):
    """The repository has no such branch, tag or commit."""


@dataclass(frozen=True)
class GitArgs:
    """What identifies the place of a script in git.

    :param git_repo: URL of the repository, None for the default one
    :param git_branch: branch or tag, None for the branch that the repository itself names
    :param git_commit: commit hash, full or short, or a tag; it has precedence over the branch
    """

    git_repo: str | None = DEFAULT_REPOSITORY
    git_branch: str | None = "master"
    git_commit: str | None = None

    @property
    def repository(self) -> str:
        """URL of the repository."""
        return DEFAULT_REPOSITORY if self.git_repo is None else self.git_repo

    @property
    def revision(self) -> str:
        """What is asked for, for people."""
        if self.git_commit is not None:
            return f"'{self.git_commit}'"
        return "its default branch" if self.git_branch is None else f"'{self.git_branch}'"

    @property
    def full_hash(self) -> str | None:
        """The commit, where it is known without asking the repository."""
        commit = (self.git_commit or "").lower()
        return commit if _FULL_HASH.fullmatch(commit) else None


def find_commit(args: GitArgs, mirror: Path, report: Report) -> str:
    """Return the full hash of the commit that is asked for, and have it in the mirror.

    What git says goes to standard output.

    :param args: repository and commit; checked before, for it reaches command lines
    :param mirror: the repository's mirror; made if there is none
    :param report: told of progress
    :raises UnknownRevision: if the repository has no such commit
    :raises GitError: if the repository cannot be reached, or its mirror is damaged
    """
    # Imported late: it looks for git, and takes a while, which no other process should spend.
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
    """Return whether all that a mirror should hold can be read. That may take a while.

    :param mirror: the mirror of a repository; without git, nothing can be said against it
    """
    check = ["git", "--git-dir", str(mirror), "fsck", "--connectivity-only", "--no-dangling", "--no-progress"]
    try:
        return subprocess.run(check, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except FileNotFoundError:
        return True


def check_out(commit: str, mirror: Path, target: Path, report: Report) -> None:
    """Write the files of a commit into a new folder.

    :param commit: full hash of a commit in the mirror
    :param mirror: the repository's mirror
    :param target: the new folder; it must not exist
    :param report: told of progress
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
    if (target / ".gitmodules").exists():
        # They may be in repositories that nobody has allowed.
        _relay("The repository has submodules. They are not fetched: have its project require them instead.")


def prepare_process() -> None:
    """Let git neither ask questions that nobody would answer, nor act on another repository."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        os.environ.pop(name, None)
    os.environ.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
    os.environ.update(
        GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="", SSH_ASKPASS="", GIT_ALLOW_PROTOCOL=":".join(PROTOCOLS)
    )


def _find_commit(repository: "git.Repo", args: GitArgs, report: Report) -> str:
    # What a hash stands for never changes, but names may move.
    if args.git_commit is not None and (commit := _by_hash(repository, args.git_commit)):
        return commit
    report(f"Fetching {args.repository}")
    branches_and_tags = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
    head = ["+HEAD:refs/oet/head"] if args.git_commit is None and args.git_branch is None else []
    _fetch(repository, args.repository, [*branches_and_tags, *head], report)
    if commit := next(_candidates(repository, args), None):
        return commit
    if args.full_hash is not None:
        # No branch leads to it, as after a forced push; many servers give it out by its hash all the same.
        _fetch(repository, args.repository, [args.full_hash], report)
        return args.full_hash
    branches = [branch.name for branch in list(repository.heads)[:_LISTED_BRANCHES]]
    if args.git_commit is None:
        missing = f"no branch or tag {args.revision}"
    else:
        missing = f"no tag {args.revision}, and no commit whose hash begins so, or several"
    raise UnknownRevision(
        f"The repository {args.repository} has {missing}; "
        f"its branches are {', '.join(branches) or 'none at all'}."
    )


def _candidates(repository: "git.Repo", args: GitArgs) -> Iterator[str]:
    """Yield what the arguments can mean, most likely first."""
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
    """Return the commit with this hash, which may be short; None if there is none in the mirror."""
    if not _HASH.fullmatch(text):
        return None
    commit = _parse(repository, text)
    # A branch may have a name that looks like a hash, and git prefers it.
    return commit if commit is not None and commit.startswith(text.lower()) else None


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
    fetch = repository.git.execute(
        [*command, "--", url, *refspecs], as_process=True, universal_newlines=True, with_stdout=False
    )
    told = -1
    complaints = []
    for line in fetch.stderr:
        if match := _PERCENTAGE.match(line):
            if (tenth := int(match[2]) // 10) != told:
                told = tenth
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
    """Remove what a killed git has left, locks and half a download: nobody else uses the mirror now."""
    for pattern in _LEFTOVERS:
        for path in mirror.glob(pattern):
            path.unlink(missing_ok=True)


def _relay(text: str) -> None:
    sys.stdout.write(text.rstrip() + "\n")
