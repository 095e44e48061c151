"""`oet admin`: settings of a controller that the SKA device interface defines."""

from typing import TYPE_CHECKING

import click

from .completion import complete_targets
from .options import examples, with_session

if TYPE_CHECKING:
    from .session import Session

LEVELS = ("OFF", "FATAL", "ERROR", "WARNING", "INFO", "DEBUG")
CONTROL_MODES = ("REMOTE", "LOCAL")
SIMULATION_MODES = ("FALSE", "TRUE")
TEST_MODES = ("NONE", "TEST")
# The values of enumerations of `ska_oso_oet.model`, which would take long to import.


def _choice(values: tuple[str, ...]) -> click.Choice[str]:
    return click.Choice(values, case_sensitive=False)


@click.group()
def admin() -> None:
    """Look at and change modes of the controller, and what it logs.

    'oet admin-mode' says how far the controller may be used at all.
    """


@admin.command(epilog=examples("oet admin show", "oet admin show --subarray_id=2 --json"))
@with_session
def show(session: "Session", /) -> None:
    """Show all settings."""
    from .admin_calls import print_settings

    session.show(session.rest.settings(), print_settings)


@admin.command("log-level", epilog=examples("oet admin log-level", "oet admin log-level DEBUG"))
@click.argument("level", type=_choice(LEVELS), required=False)
@with_session
def log_level(session: "Session", /, level: str | None) -> None:
    """Show or set the least serious messages that the controller logs.

    After a restart of the controller, the property LoggingLevelDefault applies.
    """
    from .admin_calls import show_setting

    show_setting(session, "logging_level", level)


@admin.command(
    "log-targets",
    epilog=examples(
        "oet admin log-targets",
        "oet admin log-targets tango::logger file::/var/log/oet.log",
        "oet admin log-targets --none",
    ),
)
@click.argument("targets", nargs=-1, shell_complete=complete_targets)
@click.option("--none", "nowhere", is_flag=True, help="Log nowhere.")
@with_session
def log_targets(session: "Session", /, targets: tuple[str, ...], nowhere: bool) -> None:
    """Show or set where the controller logs to.

    TARGETS replace all targets, up to 4: tango::logger, console::cout, file::/path,
    syslog::udp://host:port. After a restart of the controller, the property LoggingTargetsDefault applies.
    """
    from .admin_calls import show_setting

    if targets and nowhere:
        raise click.UsageError("Give targets or --none, not both.")
    show_setting(session, "logging_targets", list(targets) if targets or nowhere else None)


@admin.command("control-mode", epilog=examples("oet admin control-mode", "oet admin control-mode LOCAL"))
@click.argument("mode", type=_choice(CONTROL_MODES), required=False)
@with_session
def control_mode(session: "Session", /, mode: str | None) -> None:
    """Show or set who has control of the controller. The mode is shown to others; no client is refused."""
    from .admin_calls import show_setting

    show_setting(session, "control_mode", mode)


@admin.command("simulation-mode", epilog=examples("oet admin simulation-mode TRUE"))
@click.argument("mode", type=_choice(SIMULATION_MODES), required=False)
@with_session
def simulation_mode(session: "Session", /, mode: str | None) -> None:
    """Show or set whether a simulator stands in for the telescope.

    The mode is shown to others; scripts are not affected.
    """
    from .admin_calls import show_setting

    show_setting(session, "simulation_mode", mode)


@admin.command("test-mode", epilog=examples("oet admin test-mode TEST"))
@click.argument("mode", type=_choice(TEST_MODES), required=False)
@with_session
def test_mode(session: "Session", /, mode: str | None) -> None:
    """Show or set whether the controller is being tested.

    The mode is shown to others; scripts are not affected.
    """
    from .admin_calls import show_setting

    show_setting(session, "test_mode", mode)


@admin.command()
@with_session
def on(session: "Session", /) -> None:
    """Switch the controller on, so that scripts can be created and started."""
    from .admin_calls import switch

    switch(session, "ON")


@admin.command()
@with_session
def off(session: "Session", /) -> None:
    """Switch the controller off: nothing can be created or started. Running scripts continue."""
    from .admin_calls import switch

    switch(session, "OFF")


@admin.command()
@with_session
def standby(session: "Session", /) -> None:
    """Bring the controller to stand-by: nothing can be created or started. Running scripts continue."""
    from .admin_calls import switch

    switch(session, "STANDBY")
