"""Options for the repository, branch and commit of a script from git."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from .arguments import text_or_none
from .options import BOOLEAN, DEFAULT_REPOSITORY

if TYPE_CHECKING:
    from .procedure_calls import GitOptions

F = TypeVar("F", bound=Callable[..., Any])

_PLACE = (
    click.option(
        "--git_repo",
        default=DEFAULT_REPOSITORY,
        show_default=True,
        help="Repository of a git:// script: its URL, or an absolute path on the host of the OET.",
    ),
    click.option(
        "--git_branch",
        type=text_or_none,
        metavar="TEXT",
        help="Its branch or tag; without it, the default branch of the repository.",
    ),
    click.option(
        "--git_commit",
        type=text_or_none,
        metavar="TEXT",
        help="Its commit, or a tag; without it, the newest.",
    ),
)
_ENVIRONMENT = click.option(
    "--create_env",
    type=BOOLEAN,
    default=False,
    show_default=True,
    help="Run a git:// script in the Python environment that its repository describes.",
)


def git_options(command: F) -> F:
    """Add the options for a script from git to a command: its place, and how it runs."""
    return place_in_git(_ENVIRONMENT(command))


def place_in_git(command: F) -> F:
    """Add the options for the repository, branch and commit of a script from git to a command."""
    for option in reversed(_PLACE):
        command = option(command)
    return command


def given_git_options(values: dict[str, Any]) -> "GitOptions":
    """Return these options of the present command.

    :param values: what the command got for them
    """
    from .procedure_calls import GitOptions

    source = click.get_current_context().get_parameter_source
    return GitOptions(values, [name for name in values if source(name) is ParameterSource.COMMANDLINE])
