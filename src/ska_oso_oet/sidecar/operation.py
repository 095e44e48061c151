"""``/status``, ``/settings`` and the like: the controller itself."""

from http import HTTPStatus

from fastapi import APIRouter
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ska_oso_oet.client import AcceptedCommand, Controller, RequestRejectedError
from ska_oso_oet.model import (
    AdminMode,
    ControllerSettings,
    ControllerStatus,
    Model,
    OperatingState,
    SettingsChange,
)

from .errors import responses
from .json_route import JsonRoute
from .service import ControllerDependency
from .settings import API

router = APIRouter(prefix=API, route_class=JsonRoute, tags=["Controller"])

_RESET_TIMEOUT = 30.0
"""Seconds that a reset may take, which may have to create the executor again."""


class AdminModeUpdate(Model):
    """Requested admin mode: how far the controller is used."""

    admin_mode: AdminMode = Field(description="OFFLINE to refuse Create and Start; running scripts continue")


class StateUpdate(Model):
    """State that the controller is to be switched to."""

    state: OperatingState


@router.get(
    "/status",
    response_model=ControllerStatus,
    responses=responses(403, 500, 503, 504),
    summary="State, health and mode of the controller",
)
async def get_status(controller: ControllerDependency) -> JSONResponse:
    """Return the present activity of the controller, its faults, and what to do about them."""
    return await _status(controller)


@router.post(
    "/reset",
    response_model=ControllerStatus,
    responses=responses(403, 409, 500, 503, 504),
    summary="Leave FAULT once what was wrong has been fixed",
)
async def reset(controller: ControllerDependency) -> JSONResponse:
    """Read the properties of the controller again, and acknowledge damage that it reports.

    The answer is 409, with the reason, if a fault remains.
    """
    return await _status_after(controller, await controller.reset())


@router.put(
    "/admin_mode",
    response_model=ControllerStatus,
    responses=responses(400, 403, 408, 413, 415, 500, 503, 504),
    summary="Set how far the controller may be used",
)
async def set_admin_mode(body: AdminModeUpdate, controller: ControllerDependency) -> JSONResponse:
    """Set the admin mode, which is remembered over restarts of the controller."""
    await controller.set_admin_mode(body.admin_mode)
    return await _status(controller)


@router.put(
    "/state",
    response_model=ControllerStatus,
    responses=responses(400, 403, 408, 409, 413, 415, 500, 503, 504),
    summary="Switch the controller on, off or to stand-by",
)
async def switch(body: StateUpdate, controller: ControllerDependency) -> JSONResponse:
    """Switch the controller. The answer is 409, with the reason, if its state or a fault forbids it."""
    try:
        return await _status_after(controller, await controller.switch(body.state))
    except RequestRejectedError:
        status = await controller.status()
        if status.state == body.state:
            return JSONResponse(status.model_dump(mode="json"))
        raise


@router.get(
    "/settings",
    response_model=ControllerSettings,
    responses=responses(403, 500, 503, 504),
    summary="Modes of the controller, and what it logs",
)
async def get_settings(controller: ControllerDependency) -> JSONResponse:
    """Return the settings of the controller that the SKA device interface defines."""
    return await _settings(controller)


@router.put(
    "/settings",
    response_model=ControllerSettings,
    responses=responses(400, 403, 408, 413, 415, 500, 503, 504),
    summary="Change modes of the controller, and what it logs",
)
async def change_settings(body: SettingsChange, controller: ControllerDependency) -> JSONResponse:
    """Change the settings that are given. Modes are remembered over restarts, logging is not."""
    await controller.settings.change(body)
    return await _settings(controller)


async def _settings(controller: Controller) -> JSONResponse:
    return JSONResponse((await controller.settings.read()).model_dump(mode="json"))


async def _status_after(controller: Controller, accepted: AcceptedCommand) -> JSONResponse:
    """Return the status when a command has ended. One that has failed is 409, with the reason."""
    result = await controller.wait(accepted, _RESET_TIMEOUT)
    if not result.ok:
        raise HTTPException(HTTPStatus.CONFLICT, str(result.message))
    return await _status(controller)


async def _status(controller: Controller) -> JSONResponse:
    return JSONResponse((await controller.status()).model_dump(mode="json"))
