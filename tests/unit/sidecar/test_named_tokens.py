"""Tokens that belong to users, and proxies that are trusted to name them."""

import re
from pathlib import Path
from typing import Any

import pytest

from ska_oso_oet.sidecar.command import main
from ska_oso_oet.sidecar.identity import PAGE_HEADER, Access, Identity
from ska_oso_oet.sidecar.named_tokens import NamedToken, Role, read_tokens, token_digest
from ska_oso_oet.sidecar.proxies import TrustedProxies

HASH = "sha256:" + "0" * 64


def scope(host: str = "192.0.2.7", method: str = "GET", **headers: str) -> dict[str, Any]:
    named = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": method, "headers": named, "client": (host, 50_000)}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.touch(0o600)
    return path


def make(capsys: pytest.CaptureFixture[str], name: str, role: str) -> tuple[str, str]:
    """Return the line for the file, and the token."""
    main(["token", name, f"--role={role}"])
    made = capsys.readouterr()
    return made.out, made.err.strip().rpartition(" ")[2]


def test_a_token_that_is_made_is_the_one_of_its_user(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    anna, annas = make(capsys, "anna.smith@ska", "operator")
    bob, bobs = make(capsys, "bob", "viewer")
    assert annas not in anna
    assert anna == f"anna.smith@ska operator sha256:{token_digest(annas).hex()}\n"
    file.write_text(f"# who may do what\n\n{anna}  {bob}")
    access = Access("of-the-service", private=True, named=read_tokens(file))
    known = {token: access.of_token(token) for token in (annas, bobs, "of-the-service", "other", "")}
    assert known[annas] == Identity(Role.OPERATOR, "anna.smith@ska", has_token=True)
    assert known[bobs] == Identity(Role.VIEWER, "bob", has_token=True)
    assert known["of-the-service"] == Identity(Role.OPERATOR, has_token=True)
    assert known["other"] is known[""] is None
    assert access.identify(scope(authorization=f"Bearer {bobs}")).user == "bob"
    assert access.identify(scope(authorization=f"Basic {bobs}")).role is Role.NONE


def test_a_session_is_that_of_the_user(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    line, token = make(capsys, "bob", "viewer")
    file.write_text(line)
    access = Access(None, private=False, named=read_tokens(file))
    value = access.session(token)
    assert value is not None
    cookie = {"cookie": f"{access.cookie}={value}"}
    found = access.identify(scope(method="POST", **cookie, **{PAGE_HEADER: "1"}))
    assert (found.user, found.role, found.has_token) == ("bob", Role.VIEWER, True)
    # Of a page of another origin.
    assert not access.identify(scope(method="POST", **cookie)).has_token
    forged = access.identify(scope(cookie=f"{access.cookie}={value[:-1]}x"))
    assert forged.user is None
    other = Access(None, private=False, named=[NamedToken("bob", Role.OPERATOR, token_digest("another"))])
    assert other.identify(scope(cookie=f"{other.cookie}={value}")).user is None


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (f"anna operator {HASH}\nanna viewer {HASH}", 2, "anna has a token already"),
        ("anna operator", 1, "it has 2 words: the form is NAME ROLE sha256:HASH"),
        (f"\nanna admin {HASH}", 2, "'admin' is not a role: use viewer or operator"),
        (f"anna none {HASH}", 1, "'none' is not a role"),
        (f"an/na viewer {HASH}", 1, "'an/na' cannot be a name"),
        ("anna viewer my-secret-token", 1, "the third word is not 'sha256:' and 64 hexadecimal digits"),
    ],
)
def test_a_wrong_line_is_named_and_no_token_is_shown(file: Path, text: str, line: int, reason: str) -> None:
    file.write_text(text)
    with pytest.raises(ValueError, match=re.escape(f"{file}, line {line}: {reason}")) as refusal:
        read_tokens(file)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o604, 0o622, 0o666, 0o602])
def test_a_file_that_others_may_use_is_refused(file: Path, mode: int) -> None:
    file.write_text(f"anna operator {HASH}")
    file.chmod(mode)
    with pytest.raises(ValueError, match=r"others may read or change the file of tokens .*chmod 600"):
        read_tokens(file)
    file.chmod(0o640)
    assert [token.user for token in read_tokens(file)] == ["anna"]


def test_a_file_that_cannot_be_used_is_refused(file: Path, tmp_path: Path) -> None:
    for path, reason in ((file, "has no token"), (tmp_path / "gone", "cannot be read"), (tmp_path, "read")):
        with pytest.raises(ValueError, match=reason):
            read_tokens(path)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="cannot be read"):
        read_tokens(file)


@pytest.mark.parametrize(
    ("peer", "headers", "host", "user"),
    [
        ("192.0.2.7", {"x_user": "eve", "x_forwarded_for": "1.2.3.4"}, "192.0.2.7", None),
        ("10.1.2.3", {"x_user": "anna"}, "10.1.2.3", "anna"),
        (
            "10.1.2.3",
            {"x_user": "anna", "x_forwarded_for": "6.6.6.6, 192.0.2.9, 10.1.2.4"},
            "192.0.2.9",
            "anna",
        ),
        ("10.1.2.3", {"x_forwarded_for": "nonsense"}, "nonsense", None),
        ("::1", {"x_user": "anna", "x_forwarded_for": "2001:db8::1"}, "2001:db8::1", "anna"),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    peer: str, headers: dict[str, str], host: str, user: str | None
) -> None:
    proxies = TrustedProxies.read(["10.0.0.0/8", "::1"], "X-User")
    assert proxies.client_of(scope(peer, **headers)) == (host, user)
    token = NamedToken("bob", Role.VIEWER, token_digest("t"))
    access = Access(None, private=False, named=[token], proxies=proxies)
    # A name gives no rights, and a token is stronger.
    assert (access.identify(scope(peer, **headers)).role, access.identify(scope(peer, **headers)).user) == (
        Role.VIEWER,
        user,
    )
    known = access.identify(scope(peer, **headers, authorization="Bearer t"))
    assert (known.user, known.host) == ("bob", host)


@pytest.mark.parametrize(
    ("networks", "header", "reason"),
    [([], "X-User", "OET_TRUSTED_PROXIES is not"), (["ingress"], "", "OET_TRUSTED_PROXIES: 'ingress'")],
)
def test_wrong_settings_of_proxies_are_refused(networks: list[str], header: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TrustedProxies.read(networks, header)
