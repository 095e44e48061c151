"""Users with tokens of their own: what they may do, and under which name it is recorded."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import tango
from tests.support import patient_http
from tests.support.oet_command import OetInProcess
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import wait_until
from tests.support.processes import ServerProcess

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


def test_the_log_of_the_controller_names_the_user_of_what_the_tango_interface_has_no_room_for(
    users: Sidecar, controller: ServerProcess
) -> None:
    requests = [
        ("PUT", "/admin_mode", {"admin_mode": "OFFLINE"}, "adminMode OFFLINE"),
        ("PUT", "/settings", {"admin_mode": "ONLINE"}, "adminMode ONLINE"),
        ("PUT", "/state", {"state": "STANDBY"}, "Standby"),
        ("PUT", "/state", {"state": "ON"}, "On"),
        ("POST", "/reset", None, "Reset"),
    ]
    for method, path, body, line in requests:
        answer = users.http.request(method, path, json=body, headers=bearer(ANNAS))
        assert answer.status_code == 200, answer.text
        controller.wait_for_output(rf"{line} by anna \(python-httpx\S* on 127.0.0.1\) -> ")


def test_what_follows_from_such_a_request_names_its_user_too(users: Sidecar, stack: OetStack) -> None:
    http, anna = users.http, bearer(ANNAS)
    assert http.put("/queue", json={"state": "RUNNING"}, headers=anna).status_code == 200
    for mode in ("OFFLINE", "ONLINE"):
        assert http.put("/admin_mode", json={"admin_mode": mode}, headers=anna).status_code == 200
    stopped = [
        event
        for event in json.loads(tango.DeviceProxy(stack.device).GetEvents('{"topic": "queue.state"}'))
        if "adminMode was set to OFFLINE" in str(event["reason"])
    ]
    assert stopped[-1]["requested_by"]["user"] == "anna"


def test_the_file_of_tokens_is_read_again_when_it_has_changed(stack: OetStack, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    anna, carla = (f"{user} operator sha256:{token_digest(user).hex()}\n" for user in ("anna", "carla"))

    def replace(text: str, mode: int = 0o600) -> None:
        """Write the file as an editor, and Kubernetes, do: another one takes its place."""
        new = tmp_path / "new"
        new.touch(mode)
        new.write_text(text)
        new.rename(file)

    replace(anna)
    with sidecar(stack.tango_host, env={"OET_TOKENS_FILE": str(file), "OET_API_PRIVATE": "true"}) as rest:

        def role(user: str) -> str:
            return str(rest.http.get("/session", headers=bearer(user)).json()["role"])

        def warnings(probe: str) -> list[str]:
            return list(patient_http.get(f"{rest.root}/{probe}").json()["warnings"])

        rest.http.post("/session", json={"token": "anna"})
        replace(anna + carla)
        wait_until(lambda: role("carla") == "operator", "carla may act")
        assert warnings("healthz") == warnings("readyz") == []
        # The session of another user goes on.
        assert rest.http.get("/session").json()["user"] == "anna"
        replace(f"{carla}dora admin\n")
        wait_until(lambda: warnings("readyz"), "the fault is reported")
        (warning,) = warnings("healthz")
        assert f"{file}, line 2: it has 2 words" in warning
        assert patient_http.get(f"{rest.root}/readyz").status_code == 200
        assert (role("anna"), role("carla")) == ("operator", "operator")
        rest.process.wait_for_output(
            "ERROR.*line 2: it has 2 words.*The tokens that were read before are in use"
        )
        file.unlink()
        wait_until(lambda: "cannot be read" in warnings("readyz")[0], "the loss of the file is reported")
        assert role("anna") == "operator"
        replace(carla)
        wait_until(lambda: role("anna") == "none", "anna may not act any more")
        assert warnings("readyz") == []
        assert (role("carla"), rest.http.get("/session").json()["user"]) == ("operator", None)


def test_a_wrong_file_of_tokens_prevents_the_start(stack: OetStack, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.touch(0o600)
    file.write_text("# \nanna\n")
    with (
        pytest.raises(AssertionError, match=f"{file}, line 2: it has 1 words"),
        sidecar(stack.tango_host, env={"OET_TOKENS_FILE": str(file)}),
    ):
        pass
