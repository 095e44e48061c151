"""The abort script, and a real Tango device that stands for the subarray."""

from tests.support.script_runner import SCRIPTS, Run, run_script
from tests.support.telescope import TelescopeServer, running_telescope

ABORTED, SCANNING = 7, 5


def run_abort(telescope: TelescopeServer, subarray_id: object, **environment: str) -> Run:
    return run_script(
        SCRIPTS / "abort.py",
        main=([], {"subarray_id": subarray_id}),
        environment={**telescope.environment, **environment},
    )


def test_the_subarray_is_aborted(telescope: TelescopeServer) -> None:
    telescope.proxy.SetObsState(SCANNING)
    run = run_abort(telescope, 1)
    assert run.returncode == 0, run.errors
    assert "has accepted Abort" in run.output
    assert telescope.proxy.calls[-1] == "Abort"
    assert telescope.proxy.obsState == ABORTED


def test_devices_whose_number_has_two_digits(tango_host: str) -> None:
    with running_telescope(tango_host, "padded", number="01") as telescope:
        assert run_abort(telescope, 1).returncode == 0
        assert telescope.proxy.obsState == ABORTED


def test_a_subarray_that_refuses(telescope: TelescopeServer) -> None:
    telescope.proxy.Refuse("cannot abort in EMPTY")
    try:
        run = run_abort(telescope, 1)
    finally:
        telescope.proxy.Refuse("")
    assert run.returncode != 0
    assert "Abort was rejected by" in run.errors
    assert "cannot abort in EMPTY" in run.errors


def test_an_unknown_subarray_is_named_with_what_to_do(telescope: TelescopeServer) -> None:
    run = run_abort(telescope, 3, SUBARRAYNODE_FQDN_PREFIX="", SKA_TELESCOPE="skalow")
    assert run.returncode != 0
    assert "knows neither ska_low/tm_subarray_node/3 nor ska_low/tm_subarray_node/03" in run.errors
    assert "set SUBARRAYNODE_FQDN_PREFIX" in run.errors


def test_a_number_that_is_no_subarray(telescope: TelescopeServer) -> None:
    assert "subarray_id is 'one'; give the number" in run_abort(telescope, "one").errors


def test_no_tango_database(telescope: TelescopeServer) -> None:
    run = run_abort(telescope, 1, TANGO_HOST="127.0.0.1:1")
    assert run.returncode != 0
    assert "TANGO_HOST, now 127.0.0.1:1," in run.errors
