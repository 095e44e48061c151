"""Implementation of `oet stop --all`."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import click

from ska_oso_oet.model import ProcedureState, ProcedureSummary

from .errors import CommandError
from .rest import RestClient
from .session import Session
from .subarrays import ServedController, controller_url, served_controllers
from .tables import script_name


@dataclass
class _Target:
    """A controller whose scripts are to be stopped."""

    name: str
    rest: RestClient
    procedures: list[ProcedureSummary] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def stop_all(session: Session, yes: bool, run_abort: bool) -> None:
    """Stop all scripts of all controllers of a service.

    :param session: with the service
    :param yes: do not ask for confirmation
    :param run_abort: whether the abort script is to run for each
    :raises CommandError: if something was not stopped, or an abort script did not complete
    """
    served = [] if session.is_chosen else served_controllers(session.rest.http)
    with ExitStack() as connections:
        targets = [_target(session, each, connections) for each in served] if len(served) > 1 else []
        targets = targets or [_Target(f"The OET at {session.rest.http.url}", session.rest)]
        # A thread for each: one that does not answer does not delay the others.
        with ThreadPoolExecutor(len(targets)) as threads:
            list(threads.map(_look, targets))
            for target in targets:
                _announce(session, target)
            if any(target.procedures for target in targets):
                _confirm(yes)
                list(threads.map(lambda target: _stop(session, target, run_abort), targets))
    failures = [failure for target in targets for failure in target.failures]
    if failures:
        raise CommandError(f"Not everything was stopped as requested. {'; '.join(failures)}")


def _target(session: Session, controller: ServedController, connections: ExitStack) -> _Target:
    http = session.rest.http.sibling(controller_url(session.rest.http.url, controller))
    connections.enter_context(closing(http))
    return _Target(f"Subarray {controller.subarray_id} ({controller.device})", RestClient(http))


def _look(target: _Target) -> None:
    """Find what runs: all that is neither READY nor ended, because a script in preparation may act, too."""
    try:
        procedures = target.rest.procedures().content
    except CommandError as error:
        target.failures.append(f"{target.name}: it is not known what runs there: {error.message}")
        return
    target.procedures = [
        procedure
        for procedure in procedures
        if not procedure.state.is_final and procedure.state is not ProcedureState.READY
    ]


def _announce(session: Session, target: _Target) -> None:
    for failure in target.failures:
        session.output.note(failure)
    for procedure in target.procedures:
        script = script_name(procedure.script)
        session.output.note(f"{target.name}: procedure {procedure.id}, {script}, is {procedure.state}")
    if not target.procedures and not target.failures:
        session.output.note(f"{target.name}: nothing runs")


def _confirm(yes: bool) -> None:
    """Ask a user on a terminal for confirmation.

    :raises CommandError: if the user does not confirm
    """
    if not yes and sys.stdin.isatty() and not click.confirm("Stop all of these?", err=True):
        raise CommandError("Nothing was stopped")


def _stop(session: Session, target: _Target, run_abort: bool) -> None:
    for procedure in target.procedures:
        try:
            reply = target.rest.stop_procedure(procedure.id, run_abort)
        except CommandError as error:
            target.failures.append(f"{target.name}: procedure {procedure.id}: {error.message}")
            continue
        stop = reply.content
        if session.output.as_json:
            session.output.json(reply.body)
        # One that has ended by itself meanwhile needs no stop.
        if stop.stopped and stop.aborted is False:
            target.failures.append(f"{target.name}: {stop.abort_message}")
        elif not session.output.as_json:
            session.output.text(f"{target.name}: {stop.abort_message}")
