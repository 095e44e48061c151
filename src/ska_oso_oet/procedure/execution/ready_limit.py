"""How many procedures may wait to be started: each of them takes a process, its memory and descriptors."""

from collections.abc import Iterable

from ..domain.errors import StateForbidsError
from .procedure import Procedure


def require_room(procedures: Iterable[Procedure], running: Procedure | None, limit: int) -> None:
    """Check that one more procedure may be created.

    :param procedures: all procedures that are known
    :param running: the one that runs, or is about to; it does not count
    :param limit: how many may wait, 0 for any number
    :raises StateForbidsError: naming those that wait, if there are as many as may
    """
    waiting = [
        each
        for each in procedures
        if not each.state.is_final and each is not running and not each.plan.urgent
    ]
    if limit and len(waiting) >= limit:
        names = ", ".join(f"{each.id} ({each.plan.script.name}, {each.state})" for each in waiting)
        raise StateForbidsError(
            f"{len(waiting)} procedures wait to be started, and the property ReadyLimit allows {limit}: "
            f"start or stop one of them first. They are {names}."
        )
