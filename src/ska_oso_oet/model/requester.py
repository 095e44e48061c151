"""Requesters: the users and programs that make requests."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from .base import Model

_LONGEST = 200


def _in_one_line(value: Any) -> Any:
    """Return a text without what cannot be shown: it goes to logs and terminals."""
    if not isinstance(value, str):
        return value
    return "".join(each if each.isprintable() else " " for each in value).strip()


_Text = Annotated[str | None, BeforeValidator(_in_one_line)]


class Requester(Model):
    """Requester: a person, with a program, on a host."""

    user: _Text = Field(
        default=None, max_length=_LONGEST, description="who asks, as known to the service or as given"
    )
    client: _Text = Field(
        default=None, max_length=_LONGEST, description="the program, e.g. oet/1.0 or process 4711"
    )
    host: _Text = Field(default=None, max_length=_LONGEST, description="name or address of its host")
    via: _Text = Field(
        default=None,
        max_length=2 * _LONGEST,
        description="Tango client that has passed the request on; null if it has made it itself",
    )
    traceparent: _Text = Field(
        default=None,
        max_length=_LONGEST,
        exclude_if=lambda value: value is None,
        description="place of the request in a trace, as W3C Trace Context has it; absent if it has none",
    )

    def __str__(self) -> str:
        if self.user is None:
            return self._program or "an unknown client"
        return f"{self.user} ({self._program})" if self._program else self.user

    @property
    def name(self) -> str:
        """The user, or where that is not known the program."""
        return self.user or str(self)

    @property
    def _program(self) -> str:
        return " on ".join(filter(None, (self.client, self.host)))

    def is_same(self, other: "Requester") -> bool:
        """Return whether this is the same user as another, or if that has none, the same program."""
        if other.user is not None:
            return self.user == other.user
        return (self.client, self.host, self.via) == (other.client, other.host, other.via)

    def as_seen_by(self, client: "Requester | None") -> "Requester":
        """Return the requester as the receiver of the request records it.

        The user that a request names is not checked. The program that has sent the request is added: as the
        one that makes it, or, where the request names another, as the one that has passed it on.

        :param client: the program that has sent the request; None if it is not known
        """
        if self.client is None and self.host is None:
            client = client or Requester()
            return Requester(user=self.user, client=client.client, host=client.host)
        via = None if client is None else str(client)
        return self.model_copy(update={"via": via})


def _from_text(value: Any) -> Any:
    """Accept the name of a user in place of an object."""
    return {"user": value} if isinstance(value, str) else value


AnyRequester = Annotated[Requester, BeforeValidator(_from_text)]
"""A requester. In JSON also: a text, the name of the user."""

RequestedBy = Annotated[
    AnyRequester | None,
    Field(
        description="who asks, as an object or as the name of a user; the program and its host, where they "
        "are not given, are those of the Tango client",
    ),
]
"""A requester, as a client gives it."""
