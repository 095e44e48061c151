"""Permissions that are taken away while the server runs cost no observation."""

from pathlib import Path

from tests.support.locked_out import run_locked_out


def test_state_directory_that_becomes_unreadable_costs_nothing_that_is_journalled(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    found = run_locked_out(state)
    assert "Permission denied" in found.pop("fault")
    assert found == {"running": "STOPPED", "late": "COMPLETE", "events": "all", "recovery": ""}
