"""JSON in and out: between the models that clients speak and the commands and summaries of the service."""

from typing import Any

from ska_oso_oet.model import ActivityRequest
from ska_oso_oet.procedure.ui import to_procedure_input

from .application import ActivityCommand, ActivitySummary


def make_public_activity_summary(activity: ActivitySummary) -> dict[str, Any]:
    """Return a summary as JSON for clients. Its ``uri`` is for a REST service to fill in.

    :param activity: the summary
    :returns: JSON values
    """
    return activity.to_model().model_dump(mode="json", fallback=repr)


def to_activity_command(request: ActivityRequest) -> ActivityCommand:
    """Return the command that a request asks for.

    :param request: a client's request
    """
    return ActivityCommand(
        activity_name=request.activity_name,
        sbd_id=request.sbd_id,
        prepare_only=request.prepare_only,
        create_env=request.create_env,
        script_args={function: to_procedure_input(given) for function, given in request.script_args.items()},
        sbd_uri=request.sbd_uri,
    )
