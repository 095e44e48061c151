"""Observe the scans of a Scheduling Block, in their sequence (an example).

As long as ``simulate`` is true, no device is called: the commands are printed, and the same events
are published as with a telescope.
"""

import json
from pathlib import Path
from typing import Any

from pubsub import pub

from ska_oso_oet.event import topics
from ska_oso_oet.tango import SCAN_ID_GENERATOR, SimulatedSubarray, Subarray

SCAN_MARGIN = 60.0
"""Seconds that a scan may take longer than planned."""

settings: dict[str, Any] = {"subarray_id": 1}


def init(subarray_id: int = 1) -> None:
    """Choose the subarray.

    :param subarray_id: number of the subarray
    """
    settings["subarray_id"] = subarray_id


def main(sb_json: str, subarray_id: int | None = None, simulate: bool = True) -> None:
    """Observe all scans.

    :param sb_json: path of the Scheduling Block
    :param subarray_id: number of the subarray, if it is not the one that init chose
    :param simulate: print the commands instead of sending them
    """
    number = settings["subarray_id"] if subarray_id is None else subarray_id
    scheduling_block = json.loads(Path(sb_json).read_text())
    sb_id = scheduling_block["sbd_id"]
    subarray = (SimulatedSubarray if simulate else Subarray)(number)
    pub.sendMessage(topics.sb.lifecycle.observation.started, sb_id=sb_id)
    try:
        observe(subarray, sb_id, scans_of(scheduling_block))
    except Exception as error:
        pub.sendMessage(topics.subarray.fault, subarray_id=number, error=str(error))
        pub.sendMessage(topics.sb.lifecycle.observation.finished.failed, sb_id=sb_id)
        raise
    pub.sendMessage(topics.sb.lifecycle.observation.finished.succeeded, sb_id=sb_id)


def scans_of(scheduling_block: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the definitions of the scans to do, in order; one may occur several times."""
    definitions = {scan["scan_definition_id"]: scan for scan in scheduling_block["scan_definitions"]}
    return [definitions[name] for name in scheduling_block["scan_sequence"]]


def observe(subarray: Subarray, sb_id: str, scans: list[dict[str, Any]]) -> None:
    """Configure and run the scans."""
    for done, scan in enumerate(scans):
        scan_id = SCAN_ID_GENERATOR.next()
        print(f"Scan {scan_id} ({done + 1} of {len(scans)}): {scan['scan_definition_id']}")
        configure(subarray, sb_id, scan_id, scan)
        run_scan(subarray, sb_id, scan_id, scan["scan_duration"])
        message = f"scan {done + 1} of {len(scans)}"
        pub.sendMessage(topics.user.script.progress, progress=100 * (done + 1) // len(scans), msg=message)
    subarray.end()


def configure(subarray: Subarray, sb_id: str, scan_id: int, scan: dict[str, Any]) -> None:
    """Configure the subarray for a scan."""
    pub.sendMessage(topics.scan.lifecycle.configure.started, sb_id=sb_id, scan_id=scan_id)
    try:
        subarray.configure({"pointing": {"target": scan["target"]}})
    except Exception:
        pub.sendMessage(topics.scan.lifecycle.configure.failed, sb_id=sb_id, scan_id=scan_id)
        raise
    pub.sendMessage(topics.scan.lifecycle.configure.complete, sb_id=sb_id, scan_id=scan_id)
    pub.sendMessage(topics.subarray.configured, subarray_id=subarray.subarray_id)


def run_scan(subarray: Subarray, sb_id: str, scan_id: int, duration: float) -> None:
    """Run a scan of a duration in seconds."""
    pub.sendMessage(topics.scan.lifecycle.start, sb_id=sb_id, scan_id=scan_id)
    pub.sendMessage(topics.subarray.scan.started, subarray_id=subarray.subarray_id)
    try:
        subarray.scan(scan_id, timeout=duration + SCAN_MARGIN)
    except Exception:
        pub.sendMessage(topics.scan.lifecycle.end.failed, sb_id=sb_id, scan_id=scan_id)
        raise
    pub.sendMessage(topics.scan.lifecycle.end.succeeded, sb_id=sb_id, scan_id=scan_id)
    pub.sendMessage(topics.subarray.scan.finished, subarray_id=subarray.subarray_id)
