"""The git repositories that scripts may be run from, and checks of places in them.

All parts reach command lines and paths: a part that is not known to be harmless is refused before anything is
created. What a reference may be called is git's own rule, see ``man git-check-ref-format``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import quote, unquote

from ska_oso_oet.model import GitArgs, GitScript

from ..gitmanager import PROTOCOLS
from .errors import ScriptError, ScriptNotAllowedError

_MAX_LENGTH = 1024
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://"
    r"(?P<authority>(?:[A-Za-z0-9_.~][A-Za-z0-9_.~-]*@)?"
    r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])?(?::\d+)?)"
    r"(?P<path>/[A-Za-z0-9_.~/+@%,=-]*)?"
)
_UNFIT_FOR_REFERENCE = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")
_WILDCARD = re.compile(r"[*?\[]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Repositories:
    """Repositories that scripts may be run from.

    :param patterns: patterns of their URLs or absolute paths, in which ``*`` and ``?`` stand for any
        characters of one part: the scheme, the host, or the whole path. ``*`` alone stands for all
        repositories; none allows none.
    """

    patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, patterns: Iterable[str]) -> "Repositories":
        """Return the repositories that patterns stand for.

        :raises ValueError: if one of them can be no pattern of a URL
        """
        known = tuple(_pattern_of_url(pattern) for pattern in patterns)
        for pattern in known:
            scheme, authority, path = _parts(pattern)
            # A host alone may be a repository, a pattern of hosts alone is a mistake.
            if pattern != "*" and not (scheme and (path or (authority and not _WILDCARD.search(authority)))):
                raise ValueError(
                    f"'{pattern}' is not a pattern of repository URLs: write for example "
                    "https://host.org/group/*"
                )
        return cls(known)

    def admit(self, script: GitScript) -> None:
        """Check that a script may be run, as far as can be known without asking its repository.

        :raises ScriptNotAllowedError: if its repository may not be used
        :raises ScriptError: if its repository, branch, commit or path can be none
        """
        check_place(script)
        if not any(_matches(script.git_args.repository, pattern) for pattern in self.patterns):
            allowed = ", ".join(self.patterns) or "none is configured"
            raise ScriptNotAllowedError(
                f"the repository '{script.git_args.repository}' is not one that scripts may be run from "
                f"({allowed}): have it added to the property GitRepositories"
            )


def check_place(script: GitScript) -> None:
    """Check that the place of a script is well-formed.

    :raises ScriptError: if its repository, branch, commit or path can be none
    """
    arguments: GitArgs = script.git_args
    _check_url(arguments.repository)
    if arguments.git_branch is not None:
        _check_reference(arguments.git_branch, "branch or tag")
    if arguments.git_commit is not None:
        _check_reference(arguments.git_commit, "commit hash or tag")
    path = script.path
    if path.is_absolute() or not path.parts or ".." in path.parts or _CONTROL.search(str(path)):
        raise ScriptError(
            f"{script.script_uri!r} does not name a file within a repository: write "
            "git:///path/in/the/repository.py"
        )


def _check_url(url: str) -> None:
    match = _URL.fullmatch(url) if len(url) <= _MAX_LENGTH else None
    if match is None or match["scheme"] not in PROTOCOLS:
        raise ScriptError(
            f"{_without_secrets(url)!r} is not a repository URL that can be used: write scheme://host/path, "
            f"where the scheme is one of {', '.join(PROTOCOLS)}, or an absolute path on the host of the OET; "
            "without a password or token"
        )
    if "@" in match["authority"] and match["scheme"] != "ssh":
        raise ScriptError("a repository URL must not contain a user name or token: everybody would see it")
    if not match["authority"] and match["scheme"] != "file":
        raise ScriptError(f"the repository URL '{url}' names no host")
    # A server, or a library on the way to it, may take such a path for another one than was allowed.
    path = unquote(match["path"] or "")
    segments = [match["authority"].rpartition("@")[2], *path.split("/")]
    is_incomplete = match["scheme"] == "file" and not path.strip("/")
    if "." in segments or ".." in segments or "%2f" in url.lower() or is_incomplete or _CONTROL.search(path):
        raise ScriptError(f"the repository URL '{url}' has a path that cannot be used: write it out in full")


def _without_secrets(url: str) -> str:
    """Return the part of any URL that may be shown: without user, password and parameters."""
    beginning = re.split("[?#]", url[:_MAX_LENGTH], maxsplit=1)[0]
    scheme, separator, rest = beginning.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _check_reference(name: str, what: str) -> None:
    components = name.split("/")
    if (
        not name
        or len(name) > _MAX_LENGTH
        or name == "@"
        or name.startswith("-")
        or name.endswith(("/", "."))
        or _UNFIT_FOR_REFERENCE.search(name)
        or any(part.startswith((".", "-")) or part.endswith(".lock") or not part for part in components)
    ):
        raise ScriptError(f"{name[:_MAX_LENGTH]!r} cannot be the name of a {what}: check its spelling")


def _pattern_of_url(pattern: str) -> str:
    """Return the pattern of URLs that a pattern stands for, which may be one of absolute paths."""
    return f"file://{quote(pattern, safe='/*?[]!')}" if pattern.startswith("/") else pattern


def _parts(url: str) -> tuple[str, str, str]:
    """Return scheme, authority and path of a URL or a pattern of URLs."""
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    return scheme, authority, path


def _matches(url: str, pattern: str) -> bool:
    # Part by part: the host of `https://*.site.org/*` must not be found in the path of another host's URL.
    return pattern == "*" or all(
        fnmatchcase(part, wanted) for part, wanted in zip(_parts(url), _parts(pattern), strict=True)
    )
