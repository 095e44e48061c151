"""Requests to the activity service."""

from dataclasses import dataclass, field
from typing import Any

from ska_oso_oet.oda import OdaAddress, checked_id, parse_sbd_uri
from ska_oso_oet.procedure.application import Hold
from ska_oso_oet.procedure.domain import ProcedureInput

from ..domain import ActivityRefusedError, require_overrides


@dataclass(frozen=True)
class ActivityCommand:
    """Run an activity of a Scheduling Block.

    :param activity_name: name of the activity
    :param sbd_id: ID of the Scheduling Block; None if a URI names it
    :param prepare_only: prepare the script, and do not start it
    :param create_env: run a git script in the Python environment of its repository
    :param script_args: keyword arguments that override those of the Scheduling Block, by function
    :param sbd_uri: ``file:///path.json`` or ``oda://sbd-id[/version]``; None if an ID names it
    :param hold: the steps that its script postpones until a start releases it
    """

    activity_name: str
    sbd_id: str | None
    prepare_only: bool = False
    create_env: bool = False
    script_args: dict[str, ProcedureInput] = field(default_factory=dict)
    sbd_uri: str | None = None
    hold: Hold = Hold.NOTHING

    @property
    def uri(self) -> str:
        """The URI of the Scheduling Block."""
        return self.sbd_uri if self.sbd_uri is not None else f"oda://{self.sbd_id}"

    @property
    def names_version(self) -> bool:
        """Whether it names a version of the Scheduling Block, which never changes."""
        address = parse_sbd_uri(self.uri)
        return isinstance(address, OdaAddress) and address.version is not None

    def require_valid(self) -> None:
        """Check all that can be checked without the Scheduling Block.

        :raises ActivityRefusedError: if it is not named once, or the arguments cannot override others
        :raises InvalidIdentifierError: if the ID or the URI is malformed
        """
        if (self.sbd_id is None) == (self.sbd_uri is None):
            raise ActivityRefusedError(
                "name the Scheduling Block by 'sbd_id' or by 'sbd_uri', one of the two"
            )
        if self.sbd_id is not None:
            checked_id("sbd_id", self.sbd_id)
        parse_sbd_uri(self.uri)
        require_overrides(self.script_args)

    def to_json_values(self) -> dict[str, Any]:
        """Return the request as a client makes it."""
        request = {
            "activity_name": self.activity_name,
            "sbd_id": self.sbd_id,
            "sbd_uri": self.sbd_uri,
            "script_args": {function: given.to_json() for function, given in self.script_args.items()},
            "prepare_only": self.prepare_only,
            "create_env": self.create_env,
        }
        return {name: value for name, value in request.items() if value is not None}
