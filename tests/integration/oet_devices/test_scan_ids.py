"""Scan IDs are unique among all controllers of a Tango database, whatever their servers."""

from contextlib import ExitStack
from pathlib import Path

from tests.support.controllers import controller_proxy, controller_server, embedded
from tests.support.operator import operate
from tests.support.tango_stack import tango_database

DRAWS = 8
DRAWS_WITH_THE_OTHERS = """
import pathlib, time
from ska_oso_oet.tango import SCAN_ID_GENERATOR

def main(folder, name, count, draws):
    place = pathlib.Path(folder)
    (place / name).touch()
    while len(list(place.iterdir())) < count:
        time.sleep(0.01)
    for _ in range(draws):
        print(SCAN_ID_GENERATOR.next())
"""


def test_four_controllers_in_two_servers_draw_at_once(tmp_path: Path) -> None:
    servers = {
        instance: [f"test-scans/controller/{instance}-{n}" for n in (1, 2)] for instance in ("01", "02")
    }
    names = [name for devices in servers.values() for name in devices]
    with ExitStack() as stack:
        host = stack.enter_context(tango_database(tmp_path))
        for instance, devices in servers.items():
            stack.enter_context(controller_server(host, tmp_path, devices, instance=instance))
        operators = [stack.enter_context(operate(controller_proxy(host, name))) for name in names]
        drawn: list[int] = []
        for turn in ("before", "after"):
            place = tmp_path / turn
            place.mkdir()
            procedures = [operator.prepare(embedded(DRAWS_WITH_THE_OTHERS)) for operator in operators]
            for name, operator, pid in zip(names, operators, procedures, strict=True):
                operator.start(pid, str(place), name.rpartition("/")[2], len(names), DRAWS)
            for operator, pid in zip(operators, procedures, strict=True):
                operator.wait_for_state(pid, "COMPLETE")
                drawn += map(int, operator.get_output(pid=pid)["lines"])
    assert sorted(drawn) == list(range(1, 2 * len(names) * DRAWS + 1))
