"""A device with the activity commands of an OETController and nothing else, to be run as a device server.

Its activities run no scripts: they are what the interface says of them, and end at once.
"""

import json
import sys
import time

import tango
from tango.server import Device, attribute, command, run

from ska_oso_oet.model import ActivityRequest, ActivityState, ActivitySummary


class ActivityTestDevice(Device):
    """Keeps activities in memory."""

    def init_device(self) -> None:
        """Start with none."""
        super().init_device()
        self._activities: list[ActivitySummary] = []

    @attribute(dtype="DevString")
    def activities(self) -> str:
        """JSON list of summaries."""
        return f"[{','.join(activity.model_dump_json() for activity in self._activities)}]"

    @attribute(dtype="DevString")
    def procedures(self) -> str:
        """JSON list of summaries: there are none."""
        return "[]"

    @attribute(dtype="DevLong64")
    def lastEventId(self) -> int:
        """Number of the newest event: there is none."""
        return 0

    @command(dtype_in="DevString", dtype_out="DevVarLongStringArray")
    def RunActivity(self, argin: str) -> tuple[list[int], list[str]]:
        """Take a request, refuse it if it is for 'refused' or an unknown Scheduling Block."""
        request = ActivityRequest.model_validate_json(argin)
        if request.sbd_id == "unknown":
            text = "There is not a Scheduling Block unknown."
            tango.Except.throw_exception("OET_ActivityNotFound", text, "RunActivity")
        if request.activity_name == "refused":
            return [5], ["Not today."]
        number = len(self._activities) + 1
        self._activities.append(
            ActivitySummary(
                id=number,
                activity_name=request.activity_name,
                sbd_id=request.sbd_id or "",
                prepare_only=request.prepare_only,
                script_args=dict(request.script_args),
                activity_states=[(ActivityState.REQUESTED, time.time())],
                state=ActivityState.REQUESTED,
            )
        )
        return [1], [f"{time.time():.7f}_{number}_RunActivity"]

    @command(dtype_in="DevLong", dtype_out="DevString")
    def DescribeActivity(self, argin: int) -> str:
        """Describe an activity; 0 is the last one."""
        known = {activity.id: activity for activity in self._activities}
        if (argin or len(known)) not in known:
            reason = "OET_ActivityNotFound"
            tango.Except.throw_exception(reason, f"No information available for ID={argin}", "Describe")
        return json.dumps(known[argin or len(known)].model_dump(mode="json"))


if __name__ == "__main__":
    run((ActivityTestDevice,), args=["ActivityTestDevice", *sys.argv[1:]], verbose=True)
