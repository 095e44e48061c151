"""Reading the status of a controller: which attributes it is made of."""

from ska_oso_oet.model import AdminMode, ControllerStatus, HealthState

from .link import DeviceLink

REPORTED = ("State", "Status", "healthState", "adminMode")
"""When a status changes, at least one of these attributes changes."""

_ATTRIBUTES = (*REPORTED, "runningProcedure", "lastProcedure", "subarrayId", "versionId")
_ADMIN_MODES = tuple(AdminMode)
_HEALTH_STATES = tuple(HealthState)


async def read_status(link: DeviceLink) -> ControllerStatus:
    """Return state, health and mode of a controller, and what it is doing.

    :param link: connection to the device
    :raises ControllerError: if the device cannot be read
    """
    state, status, health, mode, running, last, subarray, version = await link.read_all(
        "status", *_ATTRIBUTES
    )
    return ControllerStatus(
        device=link.name,
        state=str(state),
        health_state=_HEALTH_STATES[health],
        admin_mode=_ADMIN_MODES[mode],
        status=status,
        running_procedure=running or None,
        last_procedure=last or None,
        subarray_id=subarray or None,
        version=version,
    )
