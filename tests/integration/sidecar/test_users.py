"""Users with tokens of their own: what they may do, and under which name it is recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.oet_command import OetInProcess
from tests.support.oet_stack import OetStack, Sidecar, sidecar

from ska_oso_oet.sidecar.named_tokens import token_digest

SERVICE, ANNAS, BOBS = "of-the-service", "annas-token", "bobs-token"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "X-OET-User": "eve"}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    file.touch(0o600)
    rows = (("anna", "operator", ANNAS), ("bob", "viewer", BOBS))
    file.write_text("".join(f"{user} {role} sha256:{token_digest(t).hex()}\n" for user, role, t in rows))
    return file


@pytest.fixture(scope="module")
def users(stack: OetStack, tokens: Path) -> Iterator[Sidecar]:
    env = {
        "OET_TOKENS_FILE": str(tokens),
        "OET_API_TOKEN": SERVICE,
        "OET_API_PRIVATE": "true",
        "OET_TRUSTED_PROXIES": "127.0.0.1",
        "OET_PROXY_USER_HEADER": "X-Remote-User",
    }
    with sidecar(stack.tango_host, env=env) as running:
        yield running


def test_a_role_is_enforced_and_a_name_recorded(users: Sidecar, stack: OetStack) -> None:
    http, body = users.http, {"script_uri": stack.uri("hold")}
    created = http.post("/procedures", json=body, headers=bearer(ANNAS))
    assert created.status_code == 201
    assert created.json()["procedure"]["requested_by"]["user"] == "anna"
    # A viewer sees everything, and gets the reason why it may not change anything.
    assert http.get("/procedures", headers=bearer(BOBS)).status_code == 200
    for method, path in (("POST", "/procedures"), ("PUT", "/procedures/1"), ("DELETE", "/queue")):
        refused = http.request(method, path, json=body, headers=bearer(BOBS))
        assert (refused.status_code, refused.json()["type"]) == (403, "Forbidden")
        assert "bob has the role viewer" in refused.json()["Message"]
    for wrong in ("nobodys-token", token_digest(ANNAS).hex()):
        assert http.get("/procedures", headers=bearer(wrong)).status_code == 401
    assert http.get("/session", headers=bearer(BOBS)).json() == {
        "role": "viewer",
        "user": "bob",
        "login": True,
    }


def test_the_token_of_the_service_stays_and_a_proxy_names_its_user(users: Sidecar, stack: OetStack) -> None:
    headers = bearer(SERVICE) | {"X-Remote-User": "carla", "X-Forwarded-For": "6.6.6.6, 192.0.2.9"}
    by = users.http.post("/procedures", json={"script_uri": stack.uri("hold")}, headers=headers).json()
    assert (by["procedure"]["requested_by"]["user"], by["procedure"]["requested_by"]["host"]) == (
        "carla",
        "192.0.2.9",
    )
    users.process.wait_for_output(r"POST /api/v1.0/procedures by carla \(\S+ on 192.0.2.9\) -> 201")


def test_the_command_knows_which_procedure_is_its_users(users: Sidecar, stack: OetStack) -> None:
    oet = OetInProcess(users.url)
    oet("--user=somebody", "procedure", "create", stack.uri("burst"), "--wait", token=ANNAS)
    started = oet("--user=somebody", "procedure", "start", "1", token=ANNAS)
    assert "is COMPLETE" in started.stdout
    assert "bob has the role viewer" in oet("reset", token=BOBS, status=1).stderr


def test_a_wrong_file_of_tokens_prevents_the_start(stack: OetStack, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.touch(0o600)
    file.write_text("# \nanna\n")
    with (
        pytest.raises(AssertionError, match=f"{file}, line 2: it has 1 words"),
        sidecar(stack.tango_host, env={"OET_TOKENS_FILE": str(file)}),
    ):
        pass
