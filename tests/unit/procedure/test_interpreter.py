"""Programs in a virtual environment find the programs and packages of that environment first."""

import os
from pathlib import Path

import pytest

from ska_oso_oet.procedure.worker.interpreter import environment_of


def test_variables_that_bring_other_packages_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/server/packages")
    monkeypatch.setenv("PYTHONHOME", "/server")
    monkeypatch.setenv("VIRTUAL_ENV", "/server/venv")
    monkeypatch.setenv("PATH", "/server/venv/bin:/usr/bin")
    monkeypatch.setenv("TANGO_HOST", "127.0.0.1:10000")
    variables = environment_of(Path("/environments/x/venv/bin/python"))
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(variables)
    assert variables["VIRTUAL_ENV"] == "/environments/x/venv"
    assert variables["PATH"].split(os.pathsep)[0] == "/environments/x/venv/bin"
    assert variables["TANGO_HOST"] == "127.0.0.1:10000"
