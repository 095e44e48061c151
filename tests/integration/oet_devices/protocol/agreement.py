"""Comparison of the reports of a controller in different places.

Things only move on: a procedure gets more states, a command another status. So of two looks, one after
the other, the second must never know less than the first, wherever either was taken.
"""

import json
import threading
from collections.abc import Iterable
from typing import Any

import tango

from oet_devices.ska.enums import ResultCode, TaskStatus
from oet_devices.ska.lrc_attributes import MAX_FINISHED
from ska_oso_oet.model import ProcedureState, ProcedureSummary

OUTCOMES = {
    ProcedureState.COMPLETE: (TaskStatus.COMPLETED, ResultCode.OK),
    ProcedureState.FAILED: (TaskStatus.FAILED, ResultCode.FAILED),
    ProcedureState.STOPPED: (TaskStatus.ABORTED, ResultCode.ABORTED),
}
"""End of a command by the end of its procedure."""

Summary = dict[str, Any]


def states(summary: Summary) -> list[ProcedureState]:
    """Return the states that a procedure has been in."""
    return [ProcedureState(state) for state, _ in summary["history"]["process_states"]]


def main_runs(summary: Summary) -> bool:
    """Return whether a procedure is in its ``main``."""
    passed = states(summary)
    return passed[-1] is ProcedureState.RUNNING and ProcedureState.READY in passed


def outcome_of(uid: str, summary: Summary) -> tuple[TaskStatus, ResultCode] | None:
    """Return the end of a Create or Start, derived from its procedure; None if it continues.

    :param uid: ID of the command
    :param summary: the procedure
    """
    passed = states(summary)
    if uid.endswith("_Create") and ProcedureState.READY in passed:
        return TaskStatus.COMPLETED, ResultCode.OK
    return OUTCOMES.get(passed[-1])


class Look:
    """One look at a controller: what is listed, then each procedure and its commands, then all commands.

    :param proxy: the controller
    """

    def __init__(self, proxy: tango.DeviceProxy) -> None:
        self._proxy = proxy
        self._reported: list[str] = []

    def disagreements(self) -> list[str]:
        """Look, and return what does not fit, in words."""
        self._reported = []
        listed = {summary["id"]: summary for summary in json.loads(self._proxy.procedures)}
        seen = {number: self._look_at(summary) for number, summary in listed.items()}
        status = _pairs(self._proxy.longRunningCommandStatus)
        finished = _entries(self._proxy.lrcFinished)
        for uid in status:
            # Of those that ended within 10 s, lrcFinished may have lost some.
            if TaskStatus[status[uid]].is_final and uid not in finished and len(finished) < MAX_FINISHED:
                self._complain(f"{uid} is {status[uid]}, and not in lrcFinished")
        for number, summary in seen.items():
            after = self._describe(number)
            self._require_progress(summary, after)
            for uid in _commands_of(number, finished):
                self._compare_end(finished[uid], after)
        for activity in json.loads(self._proxy.activities):
            self._look_at_activity(activity)
        return self._reported

    def _look_at(self, listed: Summary) -> Summary:
        """Compare what is said of a procedure and of its commands in the same moment."""
        before = self._describe(listed["id"])
        executing = _entries(self._proxy.lrcExecuting)
        running = int(self._proxy.runningProcedure)
        created = TaskStatus[self._proxy.CheckLongRunningCommandStatus(listed["command_id"] or "")]
        after = self._describe(listed["id"])
        self._require_progress(listed, before)
        self._require_progress(before, after)
        # What DescribeProcedure says, the attributes say from then on.
        for uid in _commands_of(listed["id"], executing):
            if outcome_of(uid, before) is not None:
                self._complain(f"{uid} executes, and its procedure was {states(before)} before")
        create = outcome_of("_Create", before)
        by_create = str(listed["command_id"]).endswith("_Create")
        if by_create and self._differs(listed["command_id"], created, create):
            self._complain(f"{listed['command_id']} is {created.name}, its procedure was {states(before)}")
        self._compare_running(running, before, after)
        return after

    def _look_at_activity(self, listed: Summary) -> None:
        """Compare what is said of an activity and of the command that runs it in the same moment."""
        before = json.loads(self._proxy.DescribeActivity(listed["id"]))
        status = TaskStatus[self._proxy.CheckLongRunningCommandStatus(listed["command_id"])]
        after = json.loads(self._proxy.DescribeActivity(listed["id"]))
        reported = [item["activity_states"] for item in (listed, before, after)]
        if reported[1][: len(reported[0])] != reported[0] or reported[2][: len(reported[1])] != reported[1]:
            self._complain(f"activity {listed['id']} was {reported}")
        outcome = OUTCOMES.get(before["state"])
        if self._differs(listed["command_id"], status, outcome):
            self._complain(f"{listed['command_id']} is {status.name}, its activity was {before['state']}")
        if status.is_final and (OUTCOMES.get(after["state"]) or [None])[0] is not status:
            self._complain(f"{listed['command_id']} is {status.name}, its activity is {after['state']}")

    def _differs(self, uid: str, status: TaskStatus, outcome: tuple[TaskStatus, ResultCode] | None) -> bool:
        """Return whether the status of a command is not the one in which it has ended.

        Procedures and activities are listed for longer than their commands are known: for 10 s, and as long
        as they are among the last in lrcFinished.

        :param outcome: how the command has ended before its status was asked for; None if it had not
        """
        if outcome is None or status is outcome[0]:
            return False
        finished = _entries(self._proxy.lrcFinished)
        return status is not TaskStatus.NOT_FOUND or uid in finished or len(finished) < MAX_FINISHED

    def _compare_running(self, running: int, before: Summary, after: Summary) -> None:
        all_the_time = main_runs(before) and main_runs(after)
        ended = states(before)[-1].is_final
        if (all_the_time and running != before["id"]) or (ended and running == before["id"]):
            self._complain(f"runningProcedure is {running}, {before['id']} is {states(after)}")

    def _compare_end(self, entry: dict[str, Any], after: Summary) -> None:
        """What the attributes say of an end, DescribeProcedure says from then on."""
        found = TaskStatus[entry["status"]], ResultCode(entry["result"][0])
        if found != outcome_of(entry["uid"], after):
            self._complain(f"{entry['uid']} has ended {found}, its procedure is {states(after)}")
        elif not _result_fits(entry["name"], entry["result"][1], after):
            self._complain(f"{entry['uid']} gives {entry['result']}, its procedure is {after}")

    def _require_progress(self, earlier: Summary, later: Summary) -> None:
        known, now = states(earlier), states(later)
        if now[: len(known)] != known:
            self._complain(f"procedure {earlier['id']} was {known} and then {now}")

    def _describe(self, number: int) -> Summary:
        summary: Summary = json.loads(self._proxy.DescribeProcedure(number))
        return summary

    def _complain(self, sentence: str) -> None:
        self._reported.append(sentence)


class Watcher:
    """Looks at a controller all the time, in a thread of its own, as long as the context lasts.

    :param proxy: the controller
    """

    def __init__(self, proxy: tango.DeviceProxy) -> None:
        self._proxy = proxy
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watcher")
        self.looks = 0
        self.complaints: list[str] = []

    def __enter__(self) -> "Watcher":
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with tango.EnsureOmniThread():
            while not self._over.is_set() and not self.complaints:
                try:
                    self.complaints += Look(self._proxy).disagreements()
                except Exception as error:  # in a thread, it would be lost
                    self.complaints.append(repr(error))
                self.looks += 1


def _result_fits(name: str, message: Any, summary: Summary) -> bool:
    """Return whether the result of a command that has ended agrees with its procedure."""
    if isinstance(message, dict):
        if name == "Create":
            known = states(message)
            return states(summary)[: len(known)] == known
        return bool(message == ProcedureSummary.model_validate(summary).in_lists().model_dump(mode="json"))
    if summary["state"] == ProcedureState.FAILED:
        return bool(message == summary["history"]["stacktrace"])
    return bool(summary["state"] == ProcedureState.STOPPED)


def _commands_of(number: int, uids: Iterable[str]) -> list[str]:
    """Return the IDs of the Create and the Start of a procedure that are among others."""
    return [uid for uid in uids if uid.split("_")[1:] in ([str(number), "Create"], [str(number), "Start"])]


def _pairs(flat: Any) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _entries(texts: Any) -> dict[str, dict[str, Any]]:
    return {entry["uid"]: entry for entry in map(json.loads, texts)}
