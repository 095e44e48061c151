"""Files in Git LFS: fetched where git-lfs is installed, otherwise named in a message.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md (pointers), and
https://github.com/git-lfs/git-lfs/blob/main/docs/man/git-lfs-config.adoc (``.lfsconfig``)
"""

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

_LISTED = 5
_START = b"version https://git-lfs.github.com/spec/"
_MAX_POINTER = 1024
"""Bytes of a pointer, by the specification."""

_OBJECT = re.compile(rb"^oid sha256:([0-9a-f]{64})$", re.MULTILINE)
_REMOTE = "oet"
_CONFIGURATION = ".lfsconfig"
_NAMES_SERVER = re.compile(r"lfs\.(push)?url|remote\..*\.lfs(push)?url")


def fetch(target: Path, repository: str, storage: Path, report: Callable[[str], None]) -> list[str]:
    """Put the contents of large files in the place of their pointers.

    :param target: folder with the files of a commit, with a git repository of its own
    :param repository: URL of the repository that they are from
    :param storage: folder that keeps the contents for further commits
    :param report: called with the progress
    :returns: the files that are not fetched, and why, in sentences for people
    :raises subprocess.CalledProcessError: if git-lfs cannot fetch them; with its output
    """
    pointers = sorted(_pointers(target))
    if not pointers:
        return []
    advice = "have the script fetch them, or commit them"
    reason = "the configuration of the repository excludes them"
    if not _is_installed():
        reason = "git-lfs is not installed on the host of this server"
        advice = "install it there, and let the next commit find it"
    elif (server := _other_server(target, repository)) is not None:
        reason = f"{_CONFIGURATION} names the server {server}, which is not on the host of the repository"
    else:
        report(f"Fetching {len(pointers)} files from Git LFS")
        _remove_forged(storage, pointers)
        _pull(target, repository, storage)
        pointers = sorted(_pointers(target))
    return [_note([path.relative_to(target) for path in pointers], reason, advice)] if pointers else []


def _remove_forged(storage: Path, pointers: Sequence[Path]) -> None:
    """Remove contents that are kept, but do not have the hash that names them: scripts can write there."""
    for pointer in pointers:
        if (match := _OBJECT.search(pointer.read_bytes())) is not None:
            name = match[1].decode()
            kept = storage / "objects" / name[:2] / name[2:4] / name
            if kept.is_file():
                with kept.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                if digest != name:
                    kept.unlink()


def _note(pointers: Sequence[Path], reason: str, advice: str) -> str:
    names = ", ".join(repr(str(path))[1:-1] for path in pointers[:_LISTED])
    more = f" and {len(pointers) - _LISTED} more" if len(pointers) > _LISTED else ""
    return (
        f"The repository keeps files in Git LFS: {names}{more}. Their contents are not fetched, as {reason}; "
        f"scripts find pointers (small text files) in their place: {advice}."
    )


def _pointers(target: Path) -> Iterator[Path]:
    """Yield the files that Git LFS has put its pointers in place of."""
    for parent, folders, names in os.walk(target):
        if ".git" in folders:
            folders.remove(".git")
        for path in (Path(parent, name) for name in names):
            if not path.is_symlink() and path.stat().st_size < _MAX_POINTER:
                with path.open("rb") as file:
                    if file.read(len(_START)) == _START:
                        yield path


def _is_installed() -> bool:
    return subprocess.run(["git", "lfs", "version"], capture_output=True, check=False).returncode == 0


def _other_server(target: Path, repository: str) -> str | None:
    """Return a server that the files of a commit name and that is not allowed; None if there is none.

    The allowed repositories do not include servers elsewhere.
    """
    if not (target / _CONFIGURATION).is_file():
        return None
    listing = ["git", "config", "--file", _CONFIGURATION, "--list", "--null"]
    listed = subprocess.run(
        listing, cwd=target, capture_output=True, text=True, errors="replace", check=False
    )
    host = urlsplit(repository).hostname
    for entry in listed.stdout.split("\0"):
        name, _, url = entry.partition("\n")
        if _NAMES_SERVER.fullmatch(name) and (host is None or _host(url) != host):
            return _without_secrets(url)
    return None


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _without_secrets(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"[:200]


def _pull(target: Path, repository: str, storage: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", *arguments],
            cwd=target,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=True,
        )

    git("lfs", "install", "--local", "--skip-repo")
    # Not by an option: for a repository on this host, git-lfs would pass that on to the other end.
    git("config", "lfs.storage", str(storage))
    try:
        git("-c", f"remote.{_REMOTE}.url={repository}", "lfs", "pull", _REMOTE)
    finally:
        git("config", "--unset", "lfs.storage")
