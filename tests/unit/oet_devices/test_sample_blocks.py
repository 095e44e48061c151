"""Scheduling Blocks to begin with."""

from pathlib import Path

import pytest

from oet_devices.tools.sample_blocks import provide_scheduling_blocks
from ska_oso_oet.oda import open_oda


def test_the_sample_is_found_where_the_variables_say(tmp_path: Path) -> None:
    variables = provide_scheduling_blocks(tmp_path / "oda", {"ODA_BACKEND_TYPE": ""})
    assert open_oda(variables).get_sbdefinition("sbd-123").activity("observe")


def test_what_a_user_has_changed_stays(tmp_path: Path) -> None:
    folder = tmp_path / "oda"
    provide_scheduling_blocks(folder, {})
    block = folder / "sbd" / "sbd-123" / "1.json"
    block.write_text(block.read_text().replace("observe", "look"))
    variables = provide_scheduling_blocks(folder, {})
    assert open_oda(variables).get_sbdefinition("sbd-123").activity("look")


@pytest.mark.parametrize("variable", ["ODA_BACKEND_TYPE", "ODA_DATA_DIR"])
def test_an_oda_that_the_environment_names_is_left_alone(tmp_path: Path, variable: str) -> None:
    assert provide_scheduling_blocks(tmp_path / "oda", {variable: "mine"}) == {}
    assert not (tmp_path / "oda").exists()
