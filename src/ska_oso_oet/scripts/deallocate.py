"""Release all resources of a subarray (an example).

As long as ``simulate`` is true, no device is called: the commands are printed, and the same events
are published as with a telescope.
"""

from typing import Any

from pubsub import pub

from ska_oso_oet.event import topics
from ska_oso_oet.tango import SimulatedSubarray, Subarray

settings: dict[str, Any] = {"subarray_id": 1}


def init(subarray_id: int = 1) -> None:
    """Choose the subarray.

    :param subarray_id: number of the subarray
    """
    settings["subarray_id"] = subarray_id


def main(sb_json: str | None = None, subarray_id: int | None = None, simulate: bool = True) -> None:
    """Release all resources.

    :param sb_json: path of the Scheduling Block; not needed, all that the subarray has is released
    :param subarray_id: number of the subarray, if it is not the one that init chose
    :param simulate: print the commands instead of sending them
    """
    number = settings["subarray_id"] if subarray_id is None else subarray_id
    subarray = (SimulatedSubarray if simulate else Subarray)(number)
    try:
        subarray.release_all_resources()
    except Exception as error:
        pub.sendMessage(topics.subarray.fault, subarray_id=number, error=str(error))
        raise
    pub.sendMessage(topics.subarray.resources.deallocated, subarray_id=number)
    print(f"Subarray {number} has no resources")
