"""The base of the OET's exceptions, and the facts that they carry to other programs."""

from collections.abc import Mapping
from typing import Any

DETAILS_REASON = "OET_Details"
"""Reason of the second ``DevError`` of a failed command: its text is the error's details, a JSON object."""


class OetError(Exception):
    """Base of all exceptions of the OET. The message says what happened and what to do."""

    @property
    def details(self) -> Mapping[str, Any]:
        """Facts about the error, as JSON values: a program uses these, and never reads the message."""
        return {}
