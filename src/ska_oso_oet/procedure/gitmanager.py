"""Where a script is in git."""

from dataclasses import dataclass

DEFAULT_REPOSITORY = "https://gitlab.com/ska-telescope/oso/ska-oso-scripting.git"


@dataclass(frozen=True)
class GitArgs:
    """What identifies the place of a script in git.

    :param git_repo: URL of the repository
    :param git_branch: branch or tag
    :param git_commit: commit hash, full or short; it has precedence over the branch
    """

    git_repo: str | None = DEFAULT_REPOSITORY
    git_branch: str | None = "master"
    git_commit: str | None = None
