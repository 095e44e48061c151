"""Tokens of users: a file with a line for each, with a hash of the token.

The token itself is random and long, so that a plain hash is enough.
"""

import argparse
import hashlib
import os
import re
import secrets
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}")
_TOKEN_BYTES = 32
_FORM = "NAME ROLE sha256:HASH, as 'oet-sidecar token NAME --role=ROLE' prints it"


class Role(StrEnum):
    """Role of a client: its rights."""

    NONE = "none"
    """Log in only."""
    VIEWER = "viewer"
    """See everything, change nothing."""
    OPERATOR = "operator"
    """Everything."""


_GRANTED = (Role.VIEWER, Role.OPERATOR)


@dataclass(frozen=True)
class NamedToken:
    """A token that belongs to a user.

    :param user: name of the user
    :param role: what the user may do
    :param digest: SHA-256 of the token
    """

    user: str
    role: Role
    digest: bytes


def token_digest(token: str) -> bytes:
    """Return the stored form of a token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def read_tokens(path: Path) -> tuple[NamedToken, ...]:
    """Return the tokens of a file.

    :param path: of the file; empty lines and those that begin with ``#`` mean nothing
    :raises ValueError: if it cannot be read, if others may read or change it, or if a line is wrong
    """
    try:
        with path.open(encoding="utf-8") as file:
            _require_private(path, os.fstat(file.fileno()))
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"the file of tokens {path} cannot be read: {error}") from None
    tokens: dict[str, NamedToken] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            token = _read_line(line)
            if token.user in tokens:
                raise ValueError(f"{token.user} has a token already")
        except ValueError as error:
            raise ValueError(f"the file of tokens {path}, line {number}: {error}") from None
        tokens[token.user] = token
    if not tokens:
        raise ValueError(f"the file of tokens {path} has no token: write lines of the form {_FORM}")
    return tuple(tokens.values())


def _require_private(path: Path, status: os.stat_result) -> None:
    # A group may read it: that is how Kubernetes gives a secret to a pod.
    if status.st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        mode = stat.filemode(status.st_mode)
        raise ValueError(
            f"others may read or change the file of tokens {path} ({mode}): chmod 600 makes it private"
        )
    if status.st_uid not in (0, os.geteuid()):
        raise ValueError(f"the file of tokens {path} belongs to another user: chown it")


def _read_line(line: str) -> NamedToken:
    parts = line.split()
    if len(parts) != 3:
        raise ValueError(f"it has {len(parts)} words: the form is {_FORM}")
    name, role, digest = parts
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:40]!r} cannot be a name: use letters, digits, '.', '_', '@' and '-'")
    if role not in _GRANTED:
        raise ValueError(f"{role[:40]!r} is not a role: use viewer or operator")
    if not _HASH.fullmatch(digest):
        # It may be a token that was pasted here: it is not shown.
        raise ValueError("the third word is not 'sha256:' and 64 hexadecimal digits")
    return NamedToken(name, Role(role), bytes.fromhex(digest.removeprefix("sha256:")))


def token_command(arguments: Sequence[str]) -> None:
    """Make a token: print its line for the file, and on standard error the token for its user.

    :param arguments: of ``oet-sidecar token``
    """
    parser = argparse.ArgumentParser(
        prog="oet-sidecar token",
        description="Make a token for a user. Standard output gets its line for the file that "
        "OET_TOKENS_FILE names; the token itself is shown once, on standard error.",
    )
    parser.add_argument("name", help="name of the user, as records and logs are to have it")
    parser.add_argument("--role", choices=[str(role) for role in _GRANTED], required=True)
    options = parser.parse_args(arguments)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    line = f"{options.name} {options.role} sha256:{token_digest(token).hex()}"
    try:
        _read_line(line)
    except ValueError as error:
        parser.error(str(error))
    sys.stdout.write(f"{line}\n")
    sys.stderr.write(f"The token of {options.name}, for OET_API_TOKEN: {token}\n")
