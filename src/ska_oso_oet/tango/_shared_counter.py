"""A counter in the Tango database, for all controllers that are registered there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import tango

_OBJECT = "ska-oso-oet-scan-ids"
"""Object whose free properties store the counter; there are four for each of its users."""

_POLL = 0.02
_BEAT = 1.0
"""Seconds after which a user that waits for its turn shows again that it is alive."""

_SILENCE = 10.0
"""Seconds after which a user that does not show that it is alive counts as killed."""

_LONGEST_TURN = 5.0
"""Seconds after which a turn is given up, well before others consider its user killed."""


class TurnLostError(RuntimeError):
    """The counter could not be used in time."""


class SharedCounter:
    """Counter without duplicate numbers, for simultaneous users on any host.

    The Tango database can write and read properties, but not count. So users take turns by Lamport's bakery
    algorithm: each takes a ticket with a number greater than those that it sees, and waits until no smaller
    one is left. The algorithm needs no property to be written in one step, which the database does not
    do. Each user keeps the last number that it has drawn; the greatest one is the state of the counter.
    A user that was killed in its turn delays the others once, for 10 s.

    :param user: name of the user, e.g. that of a controller; used by one process at a time
    :param database: the Tango database; by default the one that TANGO_HOST names
    :raises tango.DevFailed: if the Tango database does not answer
    """

    def __init__(self, user: str, database: tango.Database | None = None) -> None:
        self._user = user.lower()
        self._database = tango.Database() if database is None else database

    def next(self, least: int = 1) -> int:
        """Return a number that was never assigned, greater than all before.

        :param least: smallest number to return
        :raises tango.DevFailed: if the Tango database does not answer
        :raises TurnLostError: if it is too slow
        """
        with self._turn() as began:
            last = self._read("last")
            number = max([least - 1, *last.values()]) + 1
            if time.monotonic() - began > _LONGEST_TURN:
                raise TurnLostError(f"the Tango database took more than {_LONGEST_TURN:g} s to answer")
            self._write("last", number)
        return number

    @contextmanager
    def _turn(self) -> Iterator[float]:
        """Wait for this user's turn, and yield the time (of `time.monotonic`) when it began."""
        self._show_alive()
        try:
            self._write("choosing", 1)
            ticket = max(self._read("ticket").values(), default=0) + 1
            self._write("ticket", ticket)
            self._delete("choosing", self._user)
            self._wait_for_those_before(ticket)
            yield time.monotonic()
        finally:
            self._delete("ticket", self._user)
            self._delete("choosing", self._user)

    def _wait_for_those_before(self, ticket: int) -> None:
        """Wait until no user has a smaller ticket, or is choosing one."""
        alive_at, silence = time.monotonic(), _Silence()
        # Later tickets are greater: a user that was checked once need not be checked again.
        waited_for = set(self._read("choosing")) | set(self._read("ticket"))
        waited_for.discard(self._user)
        while waited_for:
            choosing, tickets = self._read("choosing"), self._read("ticket")
            waited_for = {
                user
                for user in waited_for
                if user in choosing or (tickets.get(user, 0) and (tickets[user], user) < (ticket, self._user))
            }
            if not waited_for:
                return
            alive = self._read("alive")
            for user in silence.of({user: (choosing.get(user), alive.get(user)) for user in waited_for}):
                self._delete("ticket", user)
                self._delete("choosing", user)
            if time.monotonic() - alive_at > _BEAT:
                alive_at = time.monotonic()
                self._show_alive()
            time.sleep(_POLL)

    def _show_alive(self) -> None:
        self._write("alive", time.time_ns())

    def _read(self, kind: str) -> dict[str, int]:
        """Return the numbers of all users, without those that have none."""
        names = [str(name) for name in self._database.get_object_property_list(_OBJECT, f"{kind}:*")]
        if not names:
            return {}
        found = self._database.get_property(_OBJECT, names)
        return {name.partition(":")[2].lower(): int(given[0]) for name, given in found.items() if len(given)}

    def _write(self, kind: str, number: int) -> None:
        self._database.put_property(_OBJECT, {f"{kind}:{self._user}": [str(number)]})

    def _delete(self, kind: str, user: str) -> None:
        self._database.delete_property(_OBJECT, [f"{kind}:{user}"])


class _Silence:
    """Finds the users that have not shown for a while that they are alive."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[object, float]] = {}

    def of(self, signs: dict[str, object]) -> list[str]:
        """Return the users whose sign of life has been the same for too long.

        :param signs: what each user shows now
        """
        now = time.monotonic()
        for user, sign in signs.items():
            if self._since.get(user, (None, 0.0))[0] != sign or user not in self._since:
                self._since[user] = (sign, now)
        return [user for user in signs if now - self._since[user][1] > _SILENCE]
