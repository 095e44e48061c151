"""Records of a procedure, as Tango clients read them."""

import json
from typing import Any

import pytest
import tango
from tests.support.controllers import embedded
from tests.support.operator import Operator

PROGRAM = """
import os
def main(size):
    os.mkdir("größe")
    with open("größe/data.bin", "wb") as file:
        file.write(bytes(range(256)) * (size // 256))
    return {"size": size}
"""


def ask(operator: Operator, command: str, **query: Any) -> Any:
    return operator.controller.command_inout(command, json.dumps(query))


def test_result_files_and_environment_of_a_procedure(operator: Operator) -> None:
    size = 3 << 19
    pid = operator.run(embedded(PROGRAM), size=size)
    operator.wait_for_state(pid, "COMPLETE")
    summary = operator.describe(pid)
    assert summary["result"] == {"size": size}
    assert summary["files"] == [{"name": "größe/data.bin", "size": size, "kept": True}]
    assert json.loads(ask(operator, "GetFiles", pid=pid)) == {"files": summary["files"], "omitted": 0}
    read = b""
    while part := ask(operator, "GetFile", pid=pid, name="größe/data.bin", offset=len(read))[1]:
        read += part
    assert read == bytes(range(256)) * (size // 256)
    environment = json.loads(ask(operator, "GetEnvironment"))
    assert any(package.startswith("pytango==") for package in map(str.lower, environment["packages"]))


@pytest.mark.parametrize(
    ("command", "query", "reason"),
    [
        ("GetFile", {"name": "gone"}, "OET_FileNotFound"),
        ("GetFile", {"name": "../../journal.sqlite"}, "OET_FileNotFound"),
        ("GetFile", {}, "OET_InvalidArgument"),
        ("GetFile", {"name": "a", "limit": 2 << 20}, "OET_InvalidArgument"),
        ("GetFile", {"name": "a", "pid": 9999}, "OET_ProcedureNotFound"),
        ("GetFiles", {"pid": 9999}, "OET_ProcedureNotFound"),
        ("GetFiles", {"name": "a"}, "OET_InvalidArgument"),
        ("GetEnvironment", {"pid": 9999}, "OET_ProcedureNotFound"),
    ],
)
def test_what_is_refused(operator: Operator, command: str, query: dict[str, Any], reason: str) -> None:
    operator.run(embedded("def main(): ..."))
    with pytest.raises(tango.DevFailed) as raised:
        ask(operator, command, **query)
    assert raised.value.args[0].reason == reason
