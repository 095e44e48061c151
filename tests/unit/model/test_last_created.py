"""The procedure of a request that does not name one."""

import pytest

from ska_oso_oet.model import (
    FileSystemScript,
    LastCreatedError,
    ProcedureHistory,
    ProcedureState,
    ProcedureSummary,
    Requester,
    last_created_by,
)


def _client(name: str | None) -> Requester | None:
    return None if name is None else Requester(client=name)


def created(*clients: str | None) -> list[ProcedureSummary]:
    """Return procedures that clients have created, one after the other."""
    return [
        ProcedureSummary(
            id=number,
            script=FileSystemScript(f"file:///{number}.py"),
            history=ProcedureHistory(),
            state=ProcedureState.READY,
            requested_by=_client(client),
        )
        for number, client in enumerate(clients, 1)
    ]


@pytest.mark.parametrize(
    ("clients", "client", "last"),
    [
        ([], "ann", None),
        (["ann"], "ann", 1),
        (["ann", "bob", "ann"], "ann", 3),
        # An abort script was created by nobody.
        (["ann", None], "ann", 1),
        # Nobody is known: by a controller that did not record it.
        ([None, None], "ann", 2),
        (["ann", "bob"], None, 2),
    ],
)
def test_the_last_one_that_the_client_has_created(
    clients: list[str | None], client: str | None, last: int | None
) -> None:
    found = last_created_by(_client(client), reversed(created(*clients)))
    assert (None if found is None else found.id) == last


@pytest.mark.parametrize(
    ("clients", "names"),
    [
        (
            ["ann", "bob"],
            ["ann has created procedure 1 (1.py) last", "bob has created procedure 2 (2.py) since"],
        ),
        (["bob", "bob"], ["procedure 2 (2.py) was created last, by bob", "ann has created none"]),
    ],
)
def test_a_refusal_names_both(clients: list[str], names: list[str]) -> None:
    with pytest.raises(LastCreatedError) as refusal:
        last_created_by(_client("ann"), created(*clients))
    for name in names:
        assert name in str(refusal.value)


def test_what_the_queue_has_created_does_not_count() -> None:
    by_hand, queued = created("ann", "ann")
    last = last_created_by(_client("ann"), [by_hand, queued.model_copy(update={"queue_entry": 7})])
    assert last is not None
    assert last.id == 1
