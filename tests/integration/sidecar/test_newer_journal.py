"""A controller whose journal a newer version of the OET has written: what it knows is not nothing."""

import sqlite3
from contextlib import closing

import httpx
import tango
from tests.support import patient_http
from tests.support.oet_stack import OetStack, Sidecar, sidecar
from tests.support.patience import wait_until


def set_version(stack: OetStack, version: str) -> None:
    """Have the journal be of a version."""
    with closing(sqlite3.connect(stack.state / "journal.sqlite")) as database, database:
        (former,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        assert former != version
        database.execute("UPDATE alembic_version SET version_num = ?", (version,))


PATHS = ("/procedures", "/procedures/1", "/procedures/1/output", "/activities", "/activities/1", "/queue")


NEWER = "0099"


def test_lists_are_unavailable_and_say_why(own_stack: OetStack) -> None:
    with own_stack.controller(), sidecar(own_stack.tango_host) as rest:
        rest.create(own_stack.uri("hold"))
        former = _ids(rest)
        assert former == [1]
    with closing(sqlite3.connect(own_stack.state / "journal.sqlite")) as database:
        (own_version,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
    set_version(own_stack, NEWER)
    with own_stack.controller(), sidecar(own_stack.tango_host) as rest:
        device = tango.DeviceProxy(own_stack.device)
        wait_until(lambda: device.State() == tango.DevState.FAULT, "FAULT")
        for path in PATHS:
            _assert_unavailable(rest.http.get(path))
        refused = rest.http.post("/procedures", json={"script_uri": own_stack.uri("hold")})
        assert (refused.status_code, "state FAULT" in refused.text) == (409, True)
        readiness = patient_http.get(f"{rest.root}/readyz")
        assert readiness.status_code == 503
        assert NEWER in readiness.text
        # The operator has put the right version there: nothing was lost.
        set_version(own_stack, own_version)
        device.Reset()
        wait_until(lambda: device.State() == tango.DevState.ON, "ON")
        wait_until(lambda: _ids(rest) == former, "the procedures of before")


def _assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, (answer.request.url, answer.text)
    assert f"schema version {NEWER}, which this version of the OET does not know" in answer.json()["Message"]


def _ids(rest: Sidecar) -> list[int]:
    answer = rest.http.get("/procedures")
    return [each["id"] for each in answer.json()["procedures"]] if answer.status_code == 200 else []
