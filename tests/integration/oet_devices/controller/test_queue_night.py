"""A night of 200 entries, while people change the queue and the server is killed."""

from pathlib import Path

from tests.support.queue_night import Night
from tests.support.queue_order import FINAL, OrderReplay

ENTRIES = 200
KILLS = 5


def test_nothing_is_lost_and_nothing_runs_twice(tango_host: str, tmp_path: Path) -> None:
    night = Night(tango_host, tmp_path, seed=18)
    while night.kills < KILLS:
        with night.server():
            assert set(night.waiting()) <= set(night.names)
            for _ in range(4):
                night.add(ENTRIES // (4 * KILLS))
            night.live_for(6)
            night.go_on()
            night.kill()
    with night.server():
        night.add(ENTRIES - len(night.names))
        night.run_to_the_end()
        outcome = night.outcome()
        began, ended = night.runs("begin"), night.runs("end")
        assert len(outcome) == ENTRIES
        assert set(outcome.values()) <= set(FINAL)
        assert max(began.values()) == 1, "no entry has run twice"
        of = {state: {name for name, it in outcome.items() if it == state} for state in FINAL}
        assert of["DONE"] == ended.keys() - of["UNKNOWN"] - of["STOPPED"]
        assert of["FAILED"] <= began.keys() - ended.keys()
        assert not of["REMOVED"] & began.keys()
        assert began.keys() <= of["DONE"] | of["FAILED"] | of["STOPPED"] | of["UNKNOWN"]
        assert len(of["UNKNOWN"]) <= KILLS
        assert len(of["DONE"]) > ENTRIES / 2
        # What was stopped may have been stopped before its main began.
        replay = OrderReplay()
        assert list(replay.breaches(night.events())) == []
        assert replay.begun >= len(began)
        assert not replay.live
