"""The free arguments of scripts, among the options of a command."""

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from ska_oso_oet.cli.arguments import ScriptCommand


def run(*tokens: str) -> tuple[Result, dict[str, Any]]:
    """Run a command that has the options of its own that these tests speak of."""
    got: dict[str, Any] = {}

    @click.command(
        cls=ScriptCommand, context_settings={"token_normalize_func": lambda s: s.replace("_", "-")}
    )
    @click.argument("script")
    @click.argument("args", nargs=-1)
    @click.option("--git_branch", default="master")
    @click.option("--json", is_flag=True)
    def command(**params: Any) -> None:
        got.update(params)

    return CliRunner().invoke(command, tokens), got


def test_arguments_come_in_any_order() -> None:
    _, got = run(
        "--a=1", "file:///x.py", "hello", "--git_branch=b", "-5", "--sb-json=s.json", "world", "--json"
    )
    assert got == {
        "script": "file:///x.py",
        "args": ("hello", "-5", "world"),
        "script_kwargs": {"a": 1, "sb_json": "s.json"},
        "git_branch": "b",
        "json": True,
    }


@pytest.mark.parametrize("token", ["--git_branch=b", "--git-branch=b"])
def test_own_options_take_underscores_and_hyphens(token: str) -> None:
    _, got = run("x", token)
    assert (got["git_branch"], got["script_kwargs"]) == ("b", {})


def test_after_two_hyphens_all_is_for_the_script() -> None:
    _, got = run("x", "--a=1", "--", "--json=file.json", "--verbose", "-v", "y")
    assert got["script_kwargs"] == {"a": 1, "json": "file.json"}
    assert got["args"] == ("--verbose", "-v", "y")
    assert got["json"] is False


def test_values_keep_their_equals_signs_and_lines() -> None:
    assert run("x", "--a=b=c\nd", "--b=")[1]["script_kwargs"] == {"a": "b=c\nd", "b": ""}


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (
            "--verbose",
            "No such option: --verbose. An argument for the script by name is written --verbose=VALUE",
        ),
        ("-v", "No such option: -v"),
        ("--json=5", "the option --json of this command takes no value. An argument of that name"),
        ("--2nd=1", "'2nd' cannot be the name of a script's argument"),
        ("--class=1", "'class' cannot be the name of a script's argument"),
        ("--a_b=2", "'a_b' is given twice"),
    ],
)
def test_what_can_only_be_a_mistake_is_refused(token: str, reason: str) -> None:
    result, got = run("x", "--a-b=1", token)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert got == {}


def test_a_misspelt_option_is_pointed_out_and_passed_on() -> None:
    result, got = run("x", "--git_brach=test", "--target=M83")
    assert (
        result.stderr == "--git_brach is passed to the script; the option of this command is --git_branch\n"
    )
    assert got["script_kwargs"] == {"git_brach": "test", "target": "M83"}
    assert run("x", "--", "--git_brach=test")[0].stderr == ""
