"""Completion by the Tab key in Zsh and in Fish, where they are installed."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest
from tests.support.oet_command import EXECUTABLE, OetCommand, OetInProcess, table_rows
from tests.support.oet_stack import OetStack, Sidecar
from tests.support.patience import PATIENCE

Complete = Callable[[str], str]
"""Returns a line as the shell completes it."""

SCRIPT = """
from typing import Literal

def init(*, simulate: bool = False): ...
def main(target, scans: int = 2, filter_name: Literal["V", "Ks"] = "V"): ...
"""
SET_UP = (
    """
autoload -Uz compinit; compinit -u -D
setopt no_beep no_auto_menu no_list_ambiguous
eval "$(_OET_COMPLETE=zsh_source oet)"
complete_and_show() { zle complete-word; print -r -- "{$BUFFER}"; BUFFER= }
zle -N complete_and_show
bindkey -e
bindkey "^T" complete_and_show
print set"""
    """_up
"""
)


@contextmanager
def _zsh(env: dict[str, str], folder: Path) -> Iterator[Complete]:
    (folder / "set_up.zsh").write_text(SET_UP)
    options: dict[str, Any] = {"encoding": "utf-8", "timeout": PATIENCE, "dimensions": (60, 400)}
    shell = pexpect.spawn(
        "zsh", ["-f"], env={**env, "PS1": "> ", "TERM": "dumb", "HOME": str(folder)}, **options
    )

    def complete(line: str) -> str:
        shell.send(f"{line}\x14")
        shell.expect(r"\{(.*)\}\r")
        return str(shell.match[1])

    try:
        shell.sendline(f"source {folder}/set_up.zsh")
        shell.expect_exact("set_up\r\n")
        yield complete
    finally:
        shell.close(force=True)


@contextmanager
def _fish(env: dict[str, str], folder: Path) -> Iterator[Complete]:
    def complete(line: str) -> str:
        script = f"_OET_COMPLETE=fish_source oet | source; complete --do-complete '{line}'"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env={**env, "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        found = [candidate.partition("\t")[0] for candidate in done.stdout.splitlines()]
        if len(found) != 1:
            return f"{line} {found}"
        # As it does by itself: no space behind what goes on.
        return f"{line.rpartition(' ')[0]} {found[0]}{'' if found[0].endswith('=') else ' '}"

    yield complete


@pytest.fixture(scope="module", params=["zsh", "fish"])
def complete(
    request: pytest.FixtureRequest, rest: Sidecar, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Complete]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    path = f"{os.path.dirname(EXECUTABLE)}:{os.environ['PATH']}"
    shell = {"zsh": _zsh, "fish": _fish}[request.param]
    with shell({**OetCommand(rest.url).env, "PATH": path}, tmp_path_factory.mktemp("home")) as completing:
        yield completing


def test_commands_options_and_choices(complete: Complete) -> None:
    assert complete("oet admin-") == "oet admin-mode "
    assert complete("oet procedure create --git_co") == "oet procedure create --git_commit "
    assert complete("oet procedure list --state=FAI") == "oet procedure list --state=FAILED "
    assert complete("oet procedure list --state FAI") == "oet procedure list --state FAILED "
    assert complete("oet procedure start --listen=F") == "oet procedure start --listen=False "
    assert complete("oet listen --topic=user.script.a") == "oet listen --topic=user.script.announce "


def test_what_the_service_has(complete: Complete, invoke: OetInProcess, place: OetStack) -> None:
    uri = place.uri("burst")
    assert complete(f"oet run {uri[:-6]}") == f"oet run {uri} "
    assert complete("oet procedure create burs") == f"oet procedure create {uri} "
    pid = table_rows(invoke("procedure", "create", uri).stdout)[1][0]
    assert complete(f"oet procedure start --pid={pid}") == f"oet procedure start --pid={pid} "
    assert complete(f"oet procedure output --pid {pid}") == f"oet procedure output --pid {pid} "
    invoke("procedure", "stop", f"--pid={pid}", "--run_abort=False")
    entry = table_rows(invoke("queue", "add", uri, "--count=1").stdout)[1][0]
    assert complete(f"oet queue remove {entry}") == f"oet queue remove {entry} "
    invoke("queue", "clear")


def test_parameters_of_a_script_and_their_values(complete: Complete, place: OetStack) -> None:
    (place.scripts / "other_parameters.py").write_text(SCRIPT)
    run = f"oet run {place.uri('other_parameters')} Vela"
    assert complete(f"{run} --sc") == f"{run} --scans="
    assert complete(f"{run} --filter_name=K") == f"{run} --filter_name=Ks "
    assert complete(f"{run} --init.sim") == f"{run} --init.simulate="
    assert complete(f"{run} --init.simulate=t") == f"{run} --init.simulate=true "


def test_files_that_are_here(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "my_test.py").touch()
    assert complete(f"oet run {tmp_path}/my_") == f"oet run {tmp_path}/my_test.py "
    typed = f"oet procedure export 7 --to={tmp_path}/my_"
    assert re.fullmatch(rf"{re.escape(typed)}test.py ?", complete(typed))
