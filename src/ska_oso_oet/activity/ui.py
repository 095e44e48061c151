"""Conversion between the JSON models of clients and the commands and summaries of the service."""

from typing import Any

from ska_oso_oet.model import ActivityRequest, ActivitySummary
from ska_oso_oet.procedure.ui import BASE_URI

from .application import ActivityCommand


def make_public_activity_summary(activity: ActivitySummary, base_uri: str = BASE_URI) -> dict[str, Any]:
    """Return a summary as JSON for clients, with the activity's address as ``uri``.

    :param activity: the summary
    :param base_uri: address of the REST interface
    :returns: JSON values
    """
    public: dict[str, Any] = activity.model_dump(mode="json", fallback=repr)
    return {**public, "uri": f"{base_uri}/activities/{activity.id}"}


def to_activity_command(request: ActivityRequest) -> ActivityCommand:
    """Return the command that a request asks for.

    :param request: a client's request
    """
    return ActivityCommand(
        activity_name=request.activity_name,
        sbd_id=request.sbd_id,
        prepare_only=request.prepare_only,
        create_env=request.create_env,
        script_args=dict(request.script_args.items()),
        sbd_uri=request.sbd_uri,
    )
