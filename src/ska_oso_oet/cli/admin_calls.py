"""Implementation of `oet admin`."""

from typing import Any

from ska_oso_oet.model import ControllerSettings, OperatingState, SettingsChange

from .controller_calls import print_status
from .output import CommandOutput
from .session import Session
from .tables import print_table

_NAMES = {
    "admin_mode": "admin mode",
    "control_mode": "control mode",
    "simulation_mode": "simulation mode",
    "test_mode": "test mode",
    "logging_level": "logging level",
    "logging_targets": "logging targets",
}


def print_settings(output: CommandOutput, settings: ControllerSettings) -> None:
    """Print all settings of a controller."""
    print_table(output, ["Setting", "Value"], [[_NAMES[name], _shown(value)] for name, value in settings])


def show_setting(session: Session, name: str, value: Any) -> None:
    """Print one setting of the controller.

    :param session: with the service
    :param name: name of the setting
    :param value: the new value; None to leave it as it is
    """
    rest = session.rest
    reply = (
        rest.settings()
        if value is None
        else rest.change_settings(SettingsChange.model_validate({name: value}))
    )
    session.show(reply, lambda output, settings: output.text(_shown(getattr(settings, name))))


def switch(session: Session, state: str) -> None:
    """Switch the controller, and print its status.

    :param session: with the service
    :param state: ON, OFF or STANDBY
    """
    session.show(session.rest.switch(OperatingState(state)), print_status)


def _shown(value: Any) -> str:
    return "\n".join(value) or "none" if isinstance(value, list) else str(value)
