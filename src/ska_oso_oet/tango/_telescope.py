"""The telescope that is controlled, and the names of its Tango devices."""

import os
from enum import StrEnum


class Telescope(StrEnum):
    """The telescopes of the SKA, as the environment variable SKA_TELESCOPE names them."""

    MID = "skamid"
    LOW = "skalow"

    @classmethod
    def from_environment(cls) -> "Telescope":
        """Return the telescope that SKA_TELESCOPE names; without it, SKA Mid.

        :raises ValueError: if the variable names none
        """
        name = os.environ.get("SKA_TELESCOPE") or cls.MID
        try:
            return cls(name.lower())
        except ValueError:
            raise ValueError(
                f"SKA_TELESCOPE is {name!r}; set it to '{cls.MID}' or '{cls.LOW}', or unset it for SKA Mid"
            ) from None


_CENTRAL_NODES = {
    Telescope.MID: "ska_mid/tm_central/central_node",
    Telescope.LOW: "ska_low/tm_central/central_node",
}
_SUBARRAY_PREFIXES = {
    Telescope.MID: "ska_mid/tm_subarray_node",
    Telescope.LOW: "ska_low/tm_subarray_node",
}


def central_node_fqdn() -> str:
    """Return the FQDN of the telescope's central node: CENTRALNODE_FQDN, or the usual one of the telescope.

    :raises ValueError: if SKA_TELESCOPE does not name a telescope
    """
    return os.environ.get("CENTRALNODE_FQDN") or _CENTRAL_NODES[Telescope.from_environment()]


def subarray_fqdn_prefix() -> str:
    """Return the beginning of the FQDNs of subarrays; ``/`` and the number of the subarray follow.

    It is SUBARRAYNODE_FQDN_PREFIX, or the usual one of the telescope.

    :raises ValueError: if SKA_TELESCOPE does not name a telescope
    """
    prefix = os.environ.get("SUBARRAYNODE_FQDN_PREFIX") or _SUBARRAY_PREFIXES[Telescope.from_environment()]
    return prefix.rstrip("/")
