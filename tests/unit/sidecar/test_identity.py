"""Rights by token and by session."""

import time

import pytest

from ska_oso_oet.sidecar import identity
from ska_oso_oet.sidecar.identity import Access
from ska_oso_oet.sidecar.named_tokens import Role

TOKEN = "open sesame"


def role(access: Access, method: str = "PUT", **headers: str) -> Role:
    named = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return access.identify({"type": "http", "method": method, "headers": named}).role


def cookie(access: Access) -> str:
    return f"{access.cookie}={access.session(TOKEN)}"


def test_without_a_token_everybody_may_do_everything() -> None:
    access = Access(None, private=False)
    assert role(access) is Role.OPERATOR
    assert access.session("anything") is None


@pytest.mark.parametrize(("private", "others"), [(False, Role.VIEWER), (True, Role.NONE)])
def test_those_without_the_token_see_what_is_not_private(private: bool, others: Role) -> None:
    access = Access(TOKEN, private)
    assert role(access) is others
    assert role(access, authorization="Bearer wrong") is others
    assert role(access, authorization=f"Bearer {TOKEN}") is Role.OPERATOR


def test_a_session_needs_the_header_of_the_page_to_change_something() -> None:
    access = Access(TOKEN, private=True)
    assert role(access, "GET", cookie=cookie(access)) is Role.OPERATOR
    for method in ("POST", "PUT", "DELETE"):
        assert role(access, method, cookie=cookie(access)) is Role.NONE
        assert role(access, method, cookie=cookie(access), x_oet_page="1") is Role.OPERATOR


def test_a_session_is_of_one_token_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    access, other = Access(TOKEN, private=True), Access("another", private=True)
    value = cookie(access)
    assert TOKEN not in value
    assert role(other, "GET", cookie=value.replace(access.cookie, other.cookie)) is Role.NONE
    later = time.time() + identity.SESSION_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert role(access, "GET", cookie=value) is Role.NONE


@pytest.mark.parametrize(
    "value", ["", ".", "99999999999.", "99999999999.00", "x.y", "²³.0", "9" * 30 + ".0", "99999999999.ü"]
)
def test_a_cookie_that_was_made_up_is_no_session(value: str) -> None:
    access = Access(TOKEN, private=True)
    assert role(access, "GET", cookie=f"{access.cookie}={value}; other=1") is Role.NONE


def test_a_session_cannot_be_made_longer() -> None:
    access = Access(TOKEN, private=True)
    end, _, seal = str(access.session(TOKEN)).partition(".")
    assert role(access, "GET", cookie=f"{access.cookie}={int(end) + 1}.{seal}") is Role.NONE
