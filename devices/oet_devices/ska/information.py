"""Information of an SKA device about itself."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

_LEVELS = range(1, 7)


@dataclass(frozen=True)
class Release:
    """Software release of a device.

    :param name: name of the distribution
    :param version: its version
    :param description: one sentence
    """

    name: str
    version: str
    description: str

    @property
    def build_state(self) -> str:
        """All of it in one line."""
        return f"{self.name}, {self.version}, {self.description}"


def information_fault(ska_level: int, group_definitions: Sequence[str]) -> str | None:
    """Return the fault of the properties of a device, None if there is none.

    :param ska_level: SkaLevel
    :param group_definitions: GroupDefinitions
    """
    if ska_level not in _LEVELS:
        return f"property SkaLevel is {ska_level}: give {_LEVELS[0]} to {_LEVELS[-1]}"
    for text in group_definitions:
        if not _is_json_object(text):
            return f"property GroupDefinitions: {text!r} is not a JSON object"
    return None


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
