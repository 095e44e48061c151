"""Implementation of `oet status`, `oet reset` and `oet admin-mode`, and hints which of them helps."""

from http import HTTPStatus

from ska_oso_oet.model import AdminMode, ControllerStatus, HealthState

from .errors import CommandError, RefusedError, ServerUnavailableError
from .output import CommandOutput
from .rest import Reply, RestClient
from .session import Session

_STYLES = {"ON": "green", "ALARM": "yellow", "FAULT": "red", "DISABLE": "yellow"}

_WAYS_OUT = {
    "FAULT": "'oet status' says what to fix; send 'oet reset' then",
    "DISABLE": "'oet admin-mode ONLINE' enables it",
    "OFF": "'oet admin on' switches it on",
    "STANDBY": "'oet admin on' switches it on",
}
"""Commands that help, by the state of the controller."""


def print_status(output: CommandOutput, status: ControllerStatus) -> None:
    """Print state, health and mode of a controller, and what it is doing."""
    summary = f"{status.device} is {status.state}, health {status.health_state}, {status.admin_mode}"
    output.text(summary, _STYLES.get(status.state, ""))
    output.text(status.status)
    if (help_ := way_out(status)) is not None:
        output.text(help_)


def print_admin_mode(output: CommandOutput, status: ControllerStatus) -> None:
    """Print how far a controller may be used."""
    output.text(f"{status.device} is {status.admin_mode}, its state is {status.state}")


def set_admin_mode(session: Session, mode: str) -> Reply[ControllerStatus]:
    """Set how far the controller may be used.

    :param session: with the service
    :param mode: name of the mode
    """
    return session.rest.set_admin_mode(AdminMode(mode))


def way_out(status: ControllerStatus) -> str | None:
    """Return which command helps, in a sentence; None if scripts can be run."""
    if status.is_in_use:
        if status.health_state is HealthState.DEGRADED:
            return "'oet reset' takes changed properties into account, and acknowledges damage"
        return None
    advice = _WAYS_OUT.get(status.state, "'oet status' shows more")
    return f"The controller is {status.state}: {advice}"


def advice_after(error: CommandError, rest: RestClient) -> str | None:
    """Return which command helps after an error, if the state of the controller is the reason.

    :param error: as it was raised
    :param rest: the service that has refused something
    """
    if not _is_refused_by_state(error):
        return None
    try:
        status = rest.status().content
    except CommandError:  # a service up to 5.2.0, or the controller is unavailable
        return None
    return None if status.is_in_use else way_out(status)


def _is_refused_by_state(error: CommandError) -> bool:
    if isinstance(error, RefusedError):
        return error.status == HTTPStatus.CONFLICT
    return isinstance(error, ServerUnavailableError) and error.status == HTTPStatus.SERVICE_UNAVAILABLE
