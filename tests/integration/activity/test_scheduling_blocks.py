"""Activities fetch, write, remove and record Scheduling Blocks."""

import json
import os
import threading
from pathlib import Path

from tests.support.activity_services import Oet, running_oet, states
from tests.support.oda_server import Failure, running_oda_server
from tests.support.patience import PATIENCE

from ska_oso_oet.activity.domain import ActivityState
from ska_oso_oet.journal import MemoryJournal
from ska_oso_oet.oda import FilesystemOda, SBInstance, open_oda
from ska_oso_oet.oda.rest import RestOda
from ska_oso_oet.procedure.application import StartProcessCommand
from ska_oso_oet.procedure.domain import ProcedureInput

PREPARED, COMPLETE, FAILED, STOPPED = (
    ActivityState.PREPARED,
    ActivityState.COMPLETE,
    ActivityState.FAILED,
    ActivityState.STOPPED,
)


def test_a_version_and_a_file_by_uri(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"}, version=1)
    newest = oet.put("sbd-1", {"observe": "good.py"}, version=2)
    copy = oet.roots / "my block.json"
    copy.write_text(newest.read_text())
    for uri, version in (("oda://sbd-1/1", 1), ("oda://sbd-1", 2), (copy.as_uri(), 2)):
        summary = oet.ended(oet.run("observe", None, sbd_uri=uri))
        assert (summary.state, summary.sbd_id) == (COMPLETE, "sbd-1")
        written = json.loads(Path(str(summary.sb_json)).read_text())
        assert written["metadata"]["version"] == version


def test_a_file_elsewhere_is_not_read(oet: Oet, tmp_path: Path) -> None:
    secret = oet.put("sbd-1", {"observe": "good.py"})
    link = oet.roots / "link.json"
    link.symlink_to(secret)
    for uri in (secret.as_uri(), link.as_uri(), f"file://{oet.roots}/../oda/sbd/sbd-1/1.json"):
        summary = oet.ended(oet.run("observe", None, sbd_uri=uri))
        assert (summary.state, summary.sbd_id) == (FAILED, uri)
        assert "not in a folder that Scheduling Blocks may come from" in str(summary.reason)


def test_a_pipe_holds_up_nobody(oet: Oet) -> None:
    os.mkfifo(oet.roots / "sb.json")
    summary = oet.ended(oet.run("observe", None, sbd_uri=(oet.roots / "sb.json").as_uri()))
    assert summary.state is FAILED
    assert "is not a file" in str(summary.reason)


def test_one_file_for_all_who_need_it_and_none_when_nobody_does(tmp_path: Path) -> None:
    with running_oet(tmp_path, history_length=1) as oet:
        oet.put("sbd-1", {"observe": "good.py"})
        oet.put("sbd-2", {"observe": "good.py"})
        kept = oet.wait_for(oet.run("observe", "sbd-2", prepare_only=True), PREPARED)
        first, second = (oet.ended(oet.run("observe")) for _ in range(2))
        assert first.sb_json == second.sb_json
        assert [str(path) for path in oet.written_blocks()] == sorted([str(first.sb_json), str(kept.sb_json)])
        oet.ended(oet.run("nothing"))
        # What is done for this one is done after the removal.
        oet.ended(oet.run("observe", "sbd-2"))
        assert [str(path) for path in oet.written_blocks()] == [kept.sb_json]


def test_what_a_former_server_has_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "sbs"
    folder.mkdir(parents=True)
    (folder / "sbd-9--1--0123456789abcdef.json").touch()
    with running_oet(tmp_path) as oet:
        oet.put("sbd-1", {"observe": "good.py"})
        summary = oet.ended(oet.run("observe"))
        assert [str(path) for path in oet.written_blocks()] == [summary.sb_json]


class WatchedOda(FilesystemOda):
    """An ODA of files that reports when something has been stored."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stored = threading.Event()

    def store_sbinstance(self, instance: SBInstance) -> None:
        """Store a record, and report that."""
        super().store_sbinstance(instance)
        self.stored.set()


def test_an_execution_is_recorded_when_it_begins(tmp_path: Path) -> None:
    oda = WatchedOda(tmp_path / "oda")
    with running_oet(tmp_path, connect=lambda: oda) as oet:
        oet.put("sbd-1", {"observe": "waits.py"})
        prepared = oet.wait_for(oet.run("observe", prepare_only=True), PREPARED)
        assert not oda.stored.is_set()
        assert prepared.pid is not None
        oet.scripts.start(StartProcessCommand(prepared.pid, "main", ProcedureInput(by_hand=1)))
        assert oda.stored.wait(PATIENCE)
        (record,) = (oet.oda / "sbi").glob("*/1.json")
    reported = json.loads(record.read_text())
    assert (reported["sbd_id"], reported["sbd_version"], reported["telescope"]) == ("sbd-1", 1, "ska_mid")
    (activity,) = reported["activities"]
    assert activity["activity_ref"] == "observe"
    arguments = {call["function_name"]: call["function_args"] for call in activity["runtime_args"]}
    assert arguments["main"] == {"args": [], "kwargs": {"by_hand": 1}}


def test_a_site_may_have_executions_not_recorded(tmp_path: Path) -> None:
    with running_oet(tmp_path, record_executions=False) as oet:
        oet.put("sbd-1", {"observe": "good.py"})
        assert oet.ended(oet.run("observe")).state is COMPLETE
    assert not (oet.oda / "sbi").exists()


def test_a_slow_oda_holds_up_only_those_who_need_it(tmp_path: Path) -> None:
    with running_oda_server() as server:
        server.failures.extend([Failure.HANG] * 100)
        journal = MemoryJournal()
        with running_oet(tmp_path, journal=journal, connect=lambda: RestOda(server.url, timeout=3.0)) as oet:
            waiting = [oet.run("observe", "sbd-1") for _ in range(10)]
            block = oet.roots / "block.json"
            block.write_text(oet.put("sbd-2", {"observe": "good.py"}).read_text())
            assert oet.ended(oet.run("observe", None, sbd_uri=block.as_uri())).state is COMPLETE
            # One of those that wait can still be stopped.
            oet.activities.request_stop(waiting[0])
            assert states(oet.ended(waiting[0])) == [ActivityState.REQUESTED, STOPPED]
        # A server that is shut down ends, and reports the state of the others.
        for activity_id in waiting[1:]:
            document = journal.read_document("activity", activity_id)
            assert document is not None
            reported = json.loads(document.text)
            assert (reported["state"], document.live) == ("STOPPED", False)
            assert "server was shut down" in reported["reason"]


def test_an_oda_that_does_not_answer_in_time(tmp_path: Path) -> None:
    with running_oda_server() as server:
        server.failures.extend([Failure.HANG] * 100)
        with running_oet(tmp_path, connect=lambda: RestOda(server.url, time_limit=0.3)) as oet:
            ended = [oet.ended(activity_id) for activity_id in [oet.run("observe") for _ in range(10)]]
            assert {summary.state for summary in ended} == {FAILED}
            assert all("does not answer: timed out" in str(summary.reason) for summary in ended)


def test_an_oda_that_is_back_serves_again(tmp_path: Path) -> None:
    with running_oda_server() as server:
        document = {
            "sbd_id": "sbd-1",
            "activities": {"observe": {"kind": "filesystem", "path": "file://good.py"}},
        }
        server.documents["sbd-1"] = {1: json.dumps(document)}
        server.failures.append(503)
        with running_oet(tmp_path, connect=lambda: RestOda(server.url, delays=())) as oet:
            assert "503" in str(oet.ended(oet.run("observe")).reason)
            # It does not accept records, but the activity must not fail because of that.
            assert oet.ended(oet.run("observe")).state is COMPLETE


def test_an_oda_that_is_not_set_up(tmp_path: Path) -> None:
    with running_oet(tmp_path, connect=lambda: open_oda({"ODA_BACKEND_TYPE": "oracle"})) as oet:
        summary = oet.ended(oet.run("observe"))
        assert summary.state is FAILED
        assert "ODA_BACKEND_TYPE is 'oracle'" in str(summary.reason)


def test_a_state_directory_that_cannot_be_written(oet: Oet) -> None:
    oet.put("sbd-1", {"observe": "good.py"})
    (oet.state / "sbs").write_text("in the way")
    summary = oet.ended(oet.run("observe"))
    assert summary.state is FAILED
    assert "cannot be written" in str(summary.reason)
    assert oet.no_procedure_is_live()
