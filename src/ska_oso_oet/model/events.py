"""An event of the bus, as clients receive it."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Event(BaseModel):
    """One event: flat JSON, with the topic's own fields in addition to these.

    A field of the topic that bears a reserved name (``seq``, ``time``, ``topic``) is carried with an
    underscore appended, so that no script can forge a number.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    seq: int = Field(description="number of the event; 1, 2, 3 … without holes, across restarts")
    time: float = Field(description="when the bus received it, seconds since 1970 (UTC)")
    topic: str = Field(description="dotted name, e.g. user.script.announce")
    msg_src: str | None = Field(default=None, description="procedure ID or component that sent it")

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that the topic itself defines."""
        return dict(self.model_extra or {})
