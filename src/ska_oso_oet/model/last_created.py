"""Selection of the procedure for requests that do not name one."""

from collections.abc import Iterable

from .errors import OetError
from .procedures import ProcedureSummary
from .requester import Requester


class LastCreatedError(OetError):
    """The procedure that was created last is not the one that the client has created last."""


def last_created_by(
    client: Requester | None, procedures: Iterable[ProcedureSummary]
) -> ProcedureSummary | None:
    """Return the procedure that a client has created last, None if there is none at all.

    Procedures that no client has created do not count: those that send Abort, and those of the queue.

    :param client: the user, or where it has none the program, that asks; None if that is not known
    :param procedures: the procedures that are known, in any order
    :raises LastCreatedError: if another client has created one since, or this client has created none
    """
    by_hand = [procedure for procedure in procedures if procedure.queue_entry is None]
    ordered = sorted(by_hand, key=lambda procedure: procedure.id)
    created = [procedure for procedure in ordered if procedure.requested_by is not None] or ordered
    if not created:
        return None
    newest = created[-1]
    if client is None or newest.requested_by is None or _is_by(newest, client):
        return newest
    own = next((each for each in reversed(created) if _is_by(each, client)), None)
    other = newest.requested_by.name
    if own is None:
        raise LastCreatedError(
            f"{_name(newest)} was created last, by {other}, and {client.name} has created none: "
            "name the procedure that is meant by its ID"
        )
    raise LastCreatedError(
        f"{client.name} has created {_name(own)} last, and {other} has created {_name(newest)} "
        "since: name the procedure that is meant by its ID"
    )


def _is_by(procedure: ProcedureSummary, client: Requester) -> bool:
    return procedure.requested_by is not None and procedure.requested_by.is_same(client)


def _name(procedure: ProcedureSummary) -> str:
    script = "an embedded script" if procedure.script.uri is None else procedure.script.name
    return f"procedure {procedure.id} ({script})"
