"""Shell completion: procedures, scripts and the like, read from the OET, and names that it defines.

This module is imported with the commands, so it imports nothing that takes long to import.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from ska_oso_oet.model import FunctionDescription, ProcedureFile

    from .rest import RestClient

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
T = TypeVar("T")

_PATIENCE = 2.0
"""Seconds that the service may take: the user waits for it."""

TOPICS = (
    "request.procedure.create",
    "request.procedure.start",
    "request.procedure.stop",
    "request.procedure.pause",
    "request.procedure.resume",
    "request.procedure.step",
    "request.procedure.answer",
    "request.procedure.send",
    "request.procedure.list",
    "request.activity.run",
    "request.activity.list",
    "procedure.lifecycle.created",
    "procedure.lifecycle.started",
    "procedure.lifecycle.paused",
    "procedure.lifecycle.resumed",
    "procedure.lifecycle.stopped",
    "procedure.lifecycle.complete",
    "procedure.lifecycle.failed",
    "procedure.lifecycle.statechange",
    "procedure.lifecycle.stacktrace",
    "procedure.checkpoint.passed",
    "procedure.checkpoint.pending",
    "procedure.question.asked",
    "procedure.question.answered",
    "procedure.question.expired",
    "procedure.question.withdrawn",
    "procedure.environment.progress",
    "procedure.pool.list",
    "activity.lifecycle.running",
    "activity.lifecycle.statechange",
    "activity.pool.list",
    "queue.state",
    "queue.entry.added",
    "queue.entry.changed",
    "queue.entry.removed",
    "sb.lifecycle.allocated",
    "sb.lifecycle.observation.started",
    "sb.lifecycle.observation.finished.succeeded",
    "sb.lifecycle.observation.finished.failed",
    "scan.lifecycle.configure.started",
    "scan.lifecycle.configure.complete",
    "scan.lifecycle.configure.failed",
    "scan.lifecycle.start",
    "scan.lifecycle.end.succeeded",
    "scan.lifecycle.end.failed",
    "subarray.configured",
    "subarray.fault",
    "subarray.resources.allocated",
    "subarray.resources.deallocated",
    "subarray.scan.started",
    "subarray.scan.finished",
    "user.script.announce",
    "user.script.progress",
    "user.script.refused",
)
"""Topics that the OET defines: those of `ska_oso_oet.event.topics`, which the command need not install."""


STATES = (
    "CREATING",
    "IDLE",
    "PREP_ENV",
    "LOADING",
    "READY",
    "RUNNING",
    "PAUSED",
    "STOPPED",
    "COMPLETE",
    "FAILED",
    "UNKNOWN",
)
"""The values of `ska_oso_oet.model.ProcedureState`, which would take long to import."""

_LOGGING_TARGETS = ("tango::logger", "console::cout", "file::/", "syslog::udp://")


def complete_scripts(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the URI of a script, from its beginning or from the beginning of the script's name.

    Where there is no such script, it may be the path of a file here.
    """
    found = _ask(ctx, lambda rest: rest.scripts().content)
    by_name = [CompletionItem(uri) for uri in found if uri.rpartition("/")[2].startswith(incomplete)]
    by_uri = [CompletionItem(uri) for uri in found if uri.startswith(incomplete)]
    return by_uri or by_name or [CompletionItem(incomplete, type="file")]


def complete_procedures(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the ID of a procedure, the newest first."""
    found = _ask(ctx, lambda rest: rest.procedures().content)
    return [
        CompletionItem(str(each.id), help=f"{each.script.uri or each.script.script_type}, {each.state}")
        for each in reversed(found)
        if str(each.id).startswith(incomplete)
    ]


def complete_activities(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the ID of an activity, the newest first."""
    found = _ask(ctx, lambda rest: rest.activities().content)
    return [
        CompletionItem(str(each.id), help=f"{each.activity_name} of {each.sbd_id}, {each.state}")
        for each in reversed(found)
        if str(each.id).startswith(incomplete)
    ]


def complete_entries(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the ID of an entry of the queue that has not begun, in the order of the queue."""
    found = _ask(ctx, lambda rest: rest.queue().content.entries)
    return [
        CompletionItem(str(each.id), help=each.state)
        for each in found
        if each.state in ("WAITING", "PREPARING", "READY") and str(each.id).startswith(incomplete)
    ]


def complete_files(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a file that a procedure has left."""

    def files(rest: "RestClient") -> "list[ProcedureFile]":
        pid = ctx.params.get("pid")
        return rest.files(rest.last_created().id if pid is None else pid).content.files

    found = _ask(ctx, files)
    return [CompletionItem(each.name) for each in found if each.name.startswith(incomplete)]


def complete_subarrays(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the number of a subarray that the service has a controller for."""
    from .subarrays import served_controllers

    found = _ask(ctx, lambda rest: served_controllers(rest.http))
    return [
        CompletionItem(str(each.subarray_id), help=each.device)
        for each in found
        if str(each.subarray_id).startswith(incomplete)
    ]


def complete_parameters(
    ctx: click.Context, functions: Mapping[str, str], incomplete: str
) -> list[CompletionItem]:
    """Complete ``--name=`` of a parameter of the script that a command names, or that its procedure has.

    :param ctx: of the command
    :param functions: functions of the script, by what the names of their arguments begin with
    :param incomplete: what was typed of the argument
    """
    found = _ask(ctx, partial(_described_functions, ctx))
    return [
        CompletionItem(f"--{prefix}{name}=", help=str(schema.get("annotation", "")))
        for described in found
        for prefix, function in functions.items()
        if function in described
        for name, schema in described[function].parameters.get("properties", {}).items()
        if "kind" not in schema and f"--{prefix}{name}=".startswith(incomplete)
    ]


def complete_values(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the value of ``--name=`` of a parameter of a script, where it says which values there are."""
    functions: Mapping[str, str] = getattr(ctx.command, "functions", {})
    given = next(iter(reversed(ctx.params.get("args") or ())), "")
    if not given.startswith("--"):
        return []
    name = given.removeprefix("--").replace("-", "_")
    prefix = max((each for each in functions if name.startswith(each)), key=len, default="")
    return [
        CompletionItem(value)
        for described in _ask(ctx, partial(_described_functions, ctx))
        if (function := described.get(functions[prefix])) is not None
        for value in _values_of(function.parameters, name.removeprefix(prefix))
        if value.startswith(incomplete)
    ]


def _values_of(schema: Mapping[str, Any], name: str) -> list[str]:
    """Return the values that an argument may have; none if there are too many to list.

    :param schema: JSON Schema of the arguments of a function
    :param name: of the argument
    """
    waiting = [schema.get("properties", {}).get(name, {})]
    found: list[str] = []
    while waiting:
        own = waiting.pop(0)
        waiting += own.get("anyOf", [])
        if reference := str(own.get("$ref", "")).rpartition("/")[2]:
            waiting.append(schema.get("$defs", {}).get(reference, {}))
        found += map(str, own.get("enum", [own["const"]] if "const" in own else []))
        found += ["true", "false"] if own.get("type") == "boolean" else []
    return found


def _described_functions(ctx: click.Context, rest: "RestClient") -> "list[Mapping[str, FunctionDescription]]":
    """Return the functions of the script that a command is about, by name."""
    uri = ctx.params.get("script_uri")
    if uri is None:
        pid = ctx.params.get("pid")
        uri = (rest.last_created_by_this_user() if pid is None else rest.procedure(pid).content).script.uri
    # To describe a script in git takes long, if it has to be fetched.
    return [rest.describe_script(uri).content.functions] if uri and uri.startswith("file://") else []


def complete_states(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the name of a state of procedures."""
    return [CompletionItem(state) for state in STATES if state.startswith(incomplete.upper())]


def complete_targets(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the beginning of a logging target."""
    return [CompletionItem(target) for target in _LOGGING_TARGETS if target.startswith(incomplete)]


def complete_topics(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a topic that the OET defines."""
    return [CompletionItem(topic) for topic in TOPICS if topic.startswith(incomplete)]


def _ask(ctx: click.Context, question: "Callable[[RestClient], list[T]]") -> list[T]:
    """Ask the service of an unfinished command. Where it does not answer, nothing is completed."""
    from .connection import HttpSession
    from .errors import CommandError
    from .options import TOKEN_VARIABLE
    from .rest import RestClient
    from .subarrays import chosen_url

    try:
        with closing(HttpSession(_server_url(ctx), os.environ.get(TOKEN_VARIABLE, "").strip())) as http:
            http.patience = _PATIENCE
            chosen = next(_values(ctx, "subarray_id"), None)
            if isinstance(chosen, int):
                http.url = chosen_url(http, chosen, is_argument=True) or http.url
            return question(RestClient(http))
    except CommandError:
        return []


def _server_url(ctx: click.Context) -> str:
    from .options import DEFAULT_SERVER_URL

    # The group's function, which hands the address on, is not called for unfinished commands.
    return next(_values(ctx, "server_url"), None) or os.environ.get("OET_REST_URI") or DEFAULT_SERVER_URL


def _values(ctx: click.Context | None, name: str) -> Iterator[Any]:
    """Yield what a parameter was given, in a command and in those that it belongs to."""
    while ctx is not None:
        if ctx.params.get(name) is not None:
            yield ctx.params[name]
        ctx = ctx.parent
