"""A telescope with four subarrays, as it comes out of the registration that ships."""

from contextlib import ExitStack
from pathlib import Path

from tests.support.controllers import allow_embedded_scripts, embedded
from tests.support.operator import operate
from tests.support.site import REGISTRATIONS, json2tango
from tests.support.tango_stack import device_proxy, device_server
from tests.support.tango_system import TangoSystem

SERVERS = ("01", "02")
CONTROLLERS = [f"mid-oet/controller/0{number}" for number in range(1, 5)]

MEETS_THE_OTHERS = """
import pathlib, time
from ska_oso_oet.tango import SCAN_ID_GENERATOR

def main(folder, name, count):
    place = pathlib.Path(folder)
    (place / name).touch()
    while len(list(place.iterdir())) < count:
        time.sleep(0.05)
    for _ in range(10):
        print(SCAN_ID_GENERATOR.next())
"""


def test_four_subarrays_in_two_servers_observe_at_the_same_time_and_share_no_scan_id(
    system: TangoSystem, environment: dict[str, str], tmp_path: Path
) -> None:
    json2tango(system.tango_host, REGISTRATIONS / "oet-four-subarrays.json", tmp_path)
    allow_embedded_scripts(system.tango_host, *(f"mid-oet/controller/0{number}" for number in range(1, 5)))
    place = tmp_path / "place"
    place.mkdir()
    with ExitStack() as running:
        for instance in SERVERS:
            running.enter_context(
                device_server(system.tango_host, "oet_devices.server", instance, env=environment)
            )
        operators = [
            running.enter_context(operate(device_proxy(system.tango_host, name))) for name in CONTROLLERS
        ]
        procedures = [operator.prepare(embedded(MEETS_THE_OTHERS)) for operator in operators]
        for name, operator, pid in zip(CONTROLLERS, operators, procedures, strict=True):
            operator.start(pid, str(place), name.rpartition("/")[2], len(CONTROLLERS))
        for operator, pid in zip(operators, procedures, strict=True):
            operator.wait_for_state(pid, "COMPLETE")
        scan_ids = [
            int(line)
            for operator, pid in zip(operators, procedures, strict=True)
            for line in operator.get_output(pid=pid)["lines"]
        ]
        assert sorted(scan_ids) == list(range(1, 41))
