"""`oet status`, `oet reset` and `oet admin-mode`: the controller itself."""

from typing import TYPE_CHECKING

import click

from .options import examples, with_session

if TYPE_CHECKING:
    from .session import Session

_MODES = ("ONLINE", "OFFLINE", "ENGINEERING", "NOT_FITTED", "RESERVED")
"""The values of `ska_oso_oet.model.AdminMode`, which would take long to import."""


@click.command(epilog=examples("oet status", "oet status --subarray_id=2 --json"))
@with_session
def status(session: "Session", /) -> None:
    """Show what the controller is doing, and what is wrong and what to do about it."""
    from .controller_calls import print_status

    session.show(session.rest.status(), print_status)


@click.command()
@with_session
def reset(session: "Session", /) -> None:
    """Leave FAULT once what was wrong has been fixed, and take changed properties into account.

    Damage that 'oet status' reports is acknowledged. The exit status is 1, with the reason, if something
    is still wrong.
    """
    from .controller_calls import print_status

    session.show(session.rest.reset(), print_status)


@click.command("admin-mode", epilog=examples("oet admin-mode", "oet admin-mode OFFLINE"))
@click.argument("mode", type=click.Choice(_MODES, case_sensitive=False), required=False)
@with_session
def admin_mode(session: "Session", /, mode: str | None) -> None:
    """Show or set how far the controller may be used.

    OFFLINE refuses to create or start anything; running scripts continue. ONLINE ends that. The mode is
    remembered over restarts of the controller.
    """
    from .controller_calls import print_admin_mode, set_admin_mode

    reply = session.rest.status() if mode is None else set_admin_mode(session, mode)
    session.show(reply, print_admin_mode)
