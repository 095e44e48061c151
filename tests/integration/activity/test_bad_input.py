"""Invalid activities end FAILED with the reason, or are refused at once; nothing is left over."""

import re
from typing import Any

import pytest
from tests.support.activity_services import Oet, states

from ska_oso_oet.activity.application import ActivityCommand
from ska_oso_oet.activity.domain import ActivityRefusedError, ActivityState
from ska_oso_oet.oda import InvalidIdentifierError
from ska_oso_oet.procedure.domain import ProcedureInput

FILE = {"kind": "filesystem", "path": "file://good.py"}


@pytest.mark.parametrize(
    ("activities", "more", "reason"),
    [
        (
            {"allocate": "good.py", "deallocate": "good.py"},
            {},
            r"no activity 'observe'.*allocate, deallocate",
        ),
        ({}, {}, r"has no activities at all"),
        ({"observe": {}}, {}, r"activity 'observe' of Scheduling Block sbd-1 is defective: kind"),
        ({"observe": {**FILE, "kind": "notebook"}}, {}, r"defective: kind: .*'filesystem' or 'git'"),
        ({"observe": {**FILE, "path": "/good.py"}}, {}, r"begins with 'file://'"),
        ({"observe": {**FILE, "function_args": {"begin": {}}}}, {}, r"defective: function_args"),
        ({"observe": {"kind": "git", "path": "git:///a.py"}}, {}, r"git"),
        ({"observe": "missing.py"}, {}, r"there is no script '.*missing.py'"),
        ({"observe": "../oda/x.py"}, {}, r"not below a script root"),
        ({"observe": "no_sb.py"}, {}, r"arguments of main\(\) do not fit: .*'sb_json'"),
        ({"observe": "picky.py"}, {}, r"arguments of init\(\) do not fit: .*'subarray_id'"),
        ({"observe": "good.py"}, {"create_env": True}, r"'create_env' is for scripts in git"),
    ],
)
def test_an_activity_that_cannot_be_run(
    oet: Oet, activities: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    oet.put("sbd-1", activities)
    summary = oet.ended(oet.run("observe", **more))
    assert states(summary) == [ActivityState.REQUESTED, ActivityState.FAILED]
    assert re.search(reason, str(summary.reason)), summary.reason
    assert oet.no_procedure_is_live()


@pytest.mark.parametrize("text", ["{", "[]", '{"sbd_id": "sbd-2"}', '{"sbd_id": "sbd-1", "name": "\\ud800"}'])
def test_a_scheduling_block_that_is_none(oet: Oet, text: str) -> None:
    oet.put("sbd-1", {}).write_text(text)
    summary = oet.ended(oet.run("observe"))
    assert summary.state is ActivityState.FAILED
    assert "sbd-1" in str(summary.reason)


def test_an_unknown_scheduling_block(oet: Oet) -> None:
    summary = oet.ended(oet.run("observe", "sbd-9"))
    assert (summary.state, summary.sbd_id) == (ActivityState.FAILED, "sbd-9")
    assert "there is not a Scheduling Block 'sbd-9'" in str(summary.reason)


@pytest.mark.parametrize(
    "command",
    [
        ActivityCommand("observe", "../sbd"),
        ActivityCommand("observe", None, sbd_uri="ftp://host/sb.json"),
        ActivityCommand("observe", "sbd-1", script_args={"init": ProcedureInput(1)}),
        ActivityCommand("observe", "sbd-1", script_args={"init": ProcedureInput(name="\ud800")}),
    ],
)
def test_what_is_certain_is_refused_at_once(oet: Oet, command: ActivityCommand) -> None:
    with pytest.raises((ActivityRefusedError, InvalidIdentifierError)):
        oet.activities.prepare_run_activity(command)
    assert oet.activities.summarise() == []
    assert oet.events("request.activity") == []
