"""Allocate the resources of a Scheduling Block to a subarray (an example).

As long as ``simulate`` is true, no device is called: the commands are printed, and the same events
are published as with a telescope.
"""

import json
from pathlib import Path
from typing import Any

from pubsub import pub

from ska_oso_oet.event import topics
from ska_oso_oet.tango import SimulatedSubarray, Subarray

settings: dict[str, Any] = {"subarray_id": 1}


def init(subarray_id: int = 1, *labels: str, **notes: str) -> None:
    """Choose the subarray.

    :param subarray_id: number of the subarray
    :param labels: words that help to find this run in the output
    :param notes: more of them, with a name each
    """
    settings["subarray_id"] = subarray_id
    print("Subarray", subarray_id, *labels, *(f"{name}={note}" for name, note in notes.items()))


def main(sb_json: str, subarray_id: int | None = None, simulate: bool = True) -> None:
    """Allocate the resources.

    :param sb_json: path of the Scheduling Block
    :param subarray_id: number of the subarray, if it is not the one that init chose
    :param simulate: print the commands instead of sending them
    """
    number = settings["subarray_id"] if subarray_id is None else subarray_id
    scheduling_block = json.loads(Path(sb_json).read_text())
    subarray = (SimulatedSubarray if simulate else Subarray)(number)
    try:
        subarray.assign_resources({"dish": scheduling_block["dish_allocations"]})
    except Exception as error:
        pub.sendMessage(topics.subarray.fault, subarray_id=number, error=str(error))
        raise
    pub.sendMessage(topics.subarray.resources.allocated, subarray_id=number)
    pub.sendMessage(topics.sb.lifecycle.allocated, sb_id=scheduling_block["sbd_id"])
    print(f"Subarray {number} has the resources of {scheduling_block['sbd_id']}")
