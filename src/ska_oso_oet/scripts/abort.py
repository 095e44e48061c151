"""Abort the activity of a subarray. The OET runs this script after another one was stopped with abort.

Environment variables: SUBARRAYNODE_FQDN_PREFIX is the part before the number of the subarray in the name of
its Tango device; without it, the usual one for SKA_TELESCOPE (``skamid`` or ``skalow``).
"""

from ska_oso_oet.tango import Subarray


def main(subarray_id: int) -> None:
    """Send Abort to a subarray.

    :param subarray_id: number of the subarray
    """
    subarray = Subarray(subarray_id)
    subarray.abort()
    print(f"{subarray.fqdn} has accepted Abort")
