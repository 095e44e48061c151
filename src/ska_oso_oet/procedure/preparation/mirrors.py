"""Checks of mirrors: they are in the state directory, where a script can write, and are not trusted.

Their settings are written again before each use, because git would run programs that they name. A commit is
followed from its hash to its files, and each object on the way has to have the hash that names it.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ..gitmanager import GitError

_BELIEVED_BY_GIT: Final = ("objects/info/alternates", "info/grafts", "info/attributes", "config.worktree")
"""Files of a mirror, other than its settings, that change the behaviour of git."""

_SUBMODULE: Final = b"160000"
_FOLDER: Final = b"40000"
_PART: Final = 1 << 20


class ForgedMirrorError(GitError):
    """A mirror has other content under the hash of a commit or a file."""


def restore_settings(mirror: Path) -> None:
    """Give a mirror the settings of a new one, without hooks.

    :param mirror: the mirror; nothing happens if there is none
    :raises GitError: if git cannot be run
    """
    if not mirror.is_dir():
        return
    with tempfile.TemporaryDirectory() as fresh:
        command = ["git", "init", "--quiet", "--bare", "--template=", fresh]
        try:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            raise GitError(f"Git cannot be run on the host of this server: {error}.") from error
        shutil.rmtree(mirror / "hooks", ignore_errors=True)
        for name in _BELIEVED_BY_GIT:
            with suppress(FileNotFoundError):
                (mirror / name).unlink()
        shutil.copyfile(Path(fresh, "config"), mirror / "config")


def verify_commit(mirror: Path, commit: str) -> None:
    """Check that a commit, its folders and its files have the hashes that name them.

    :param mirror: the mirror that has the commit
    :param commit: full hash of the commit
    :raises ForgedMirrorError: if one has not
    """
    command = ["git", "--git-dir", str(mirror), "cat-file", "--batch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None, "they are pipes"  # noqa: S101, PT018
        try:
            _verify(_Objects(process.stdin, process.stdout), commit)
        finally:
            process.kill()


def _verify(objects: "_Objects", commit: str) -> None:
    content = objects.read(commit, "commit")
    first = content.partition(b"\n")[0]
    folders = [first.removeprefix(b"tree ").decode("ascii", "replace")]
    seen: set[str] = set()
    while folders:
        folder = folders.pop()
        if folder in seen:
            continue
        seen.add(folder)
        for mode, name in _entries(objects.read(folder, "tree"), len(commit) // 2):
            if mode == _FOLDER:
                folders.append(name)
            elif mode != _SUBMODULE and name not in seen:
                seen.add(name)
                objects.read(name, "blob")


def _entries(tree: bytes, hash_length: int) -> Iterator[tuple[bytes, str]]:
    """Yield the mode and the hash of each entry of a tree; see gitformat-pack(5) and git-ls-tree(1)."""
    position = 0
    while position < len(tree):
        end = tree.index(b"\0", position) + 1
        mode = tree[position : tree.index(b" ", position)]
        yield mode, tree[end : end + hash_length].hex()
        position = end + hash_length


class _Objects:
    """Reads objects by ``git cat-file --batch``, and checks their hashes.

    :param requests: its standard input
    :param answers: its standard output
    """

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests = requests
        self._answers = answers

    def read(self, name: str, kind: str) -> bytes:
        """Return an object; of a file nothing is returned.

        :param name: its full hash
        :param kind: ``commit``, ``tree`` or ``blob``
        :raises ForgedMirrorError: if it is not there, or is another one
        """
        try:
            self._requests.write(f"{name}\n".encode())
            self._requests.flush()
            header = self._answers.readline().split()
        except OSError:
            header = []
        if len(header) != 3 or header[1].decode() != kind:
            raise ForgedMirrorError(f"The mirror of the repository has no valid {kind} {name}.")
        size = int(header[2])
        digest = hashlib.new("sha1" if len(name) == 40 else "sha256", usedforsecurity=False)
        digest.update(f"{kind} {size}\0".encode())
        content = b""
        while size > 0 and (part := self._answers.read(min(size, _PART))):
            digest.update(part)
            size -= len(part)
            if kind != "blob":
                content += part
        self._answers.read(1)
        if digest.hexdigest() != name:
            raise ForgedMirrorError(
                f"The mirror of the repository contains another {kind} under the hash {name}."
            )
        return content
