"""One server per state directory."""

import tango

from .conftest import ACTOR, RegisterController


def test_a_second_controller_on_a_state_directory_names_the_first_and_takes_over_when_it_has_gone(
    register_controller: RegisterController,
) -> None:
    first, second = register_controller(), register_controller()
    with first.served() as running:
        procedure_id = running.create(ACTOR)
        with second.served() as refused:
            assert refused.proxy.State() == tango.DevState.FAULT
            status = refused.proxy.Status()
            assert f"is in use by process {running.process.pid} on host" in status
            assert "stop that server, or give this one a StateDirectory of its own" in status
            refused.run("Reset")
            assert refused.proxy.State() == tango.DevState.FAULT
            running.process.kill()
            refused.run("Reset")
            assert refused.proxy.State() == tango.DevState.ON
            assert refused.describe(procedure_id)["state"] == "UNKNOWN"
