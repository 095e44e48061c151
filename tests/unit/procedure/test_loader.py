"""A script becomes a module."""

import linecache
import pickle
import sys
import traceback
from pathlib import Path

import pytest

from ska_oso_oet.procedure.domain import (
    EmbeddedStringScript,
    ExecutableScript,
    FileSystemScript,
    ModuleFactory,
    ScriptDefectiveError,
    ScriptNotAllowedError,
    ScriptNotFoundError,
)
from ska_oso_oet.procedure.worker.loader import MODULE_NAME, load_script


@pytest.fixture(autouse=True)
def _own_interpreter_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """What loading changes belongs to the worker's process; here it is put back."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    for name in (MODULE_NAME, "__main__"):
        monkeypatch.setitem(sys.modules, name, sys)
    monkeypatch.setattr(linecache, "cache", dict(linecache.cache))


def write(path: Path, text: str | bytes) -> FileSystemScript:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return FileSystemScript(path.as_uri())


def test_the_top_level_of_a_file_is_executed(tmp_path: Path) -> None:
    module = ModuleFactory.get_module(write(tmp_path / "a.py", "x = 6 * 7\ndef main(): return x\n"))
    assert module.main() == 42
    assert module.__file__ == str(tmp_path / "a.py")
    assert module.__name__ == MODULE_NAME


def test_the_top_level_of_a_text_is_executed() -> None:
    module = ModuleFactory.get_module(EmbeddedStringScript("x = 'Größe 🚀'\ndef main(): return x\n"))
    assert module.main() == "Größe 🚀"


def test_modules_beside_a_script_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "helper_of_this_test.py").write_text("value = 7\n")
    script = write(tmp_path / "a.py", "from helper_of_this_test import value\n")
    try:
        assert ModuleFactory.get_module(script).value == 7
    finally:
        sys.modules.pop("helper_of_this_test", None)


def test_a_file_may_declare_its_encoding(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\nname = 'Größe'\n".encode("latin-1")
    assert ModuleFactory.get_module(write(tmp_path / "a.py", text)).name == "Größe"


def test_classes_of_a_script_can_be_looked_up_by_name(tmp_path: Path) -> None:
    module = ModuleFactory.get_module(write(tmp_path / "a.py", "class Point:\n    x = 1\n"))
    assert isinstance(pickle.loads(pickle.dumps(module.Point())), module.Point)


def test_future_statements_of_this_package_do_not_reach_a_script() -> None:
    module = ModuleFactory.get_module(EmbeddedStringScript("def main(a: int): ...\n"))
    assert module.main.__annotations__ == {"a": int}


@pytest.mark.parametrize("embedded", [True, False])
def test_a_stack_trace_shows_the_lines_of_the_script(tmp_path: Path, embedded: bool) -> None:
    text = "def main():\n    raise RuntimeError('stuck')  # the antenna\n"
    script = EmbeddedStringScript(text) if embedded else write(tmp_path / "a.py", text)
    module = ModuleFactory.get_module(script)
    with pytest.raises(RuntimeError) as raised:
        module.main()
    reported = "".join(traceback.format_exception(raised.value))
    assert "line 2, in main\n    raise RuntimeError('stuck')  # the antenna\n" in reported
    assert ("<embedded script>" if embedded else str(tmp_path / "a.py")) in reported


def test_what_the_top_level_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        ModuleFactory.get_module(write(tmp_path / "a.py", "1 / 0\n"))
    with pytest.raises(ScriptDefectiveError, match=r"not valid Python in line 1: .*; fix the script"):
        ModuleFactory.get_module(EmbeddedStringScript("def main(:\n"))
    with pytest.raises(ScriptNotFoundError, match="No such file"):
        ModuleFactory.get_module(FileSystemScript((tmp_path / "gone.py").as_uri()))


def test_a_script_of_another_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="ExecutableScript cannot be loaded"):
        ModuleFactory.get_module(ExecutableScript())


def test_a_file_that_has_grown_too_large_is_refused(tmp_path: Path) -> None:
    script = write(tmp_path / "a.py", "def main(): ...\n".ljust(2_000))
    assert callable(load_script(script, 2_000).module.main)
    with pytest.raises(ScriptNotAllowedError, match="has 2000 bytes, 1999 are allowed"):
        load_script(script, 1_999)
