"""The smallest useful script: it says hello in all the ways that a script can."""

import logging

from pubsub import pub

from ska_oso_oet.event import topics

LOGGER = logging.getLogger(__name__)


def init(subarray_id: int = 1) -> None:
    """Prepare the script. Runs when the script is created."""
    LOGGER.info("Prepared for subarray %d", subarray_id)


def main(name: str = "world") -> None:
    """Say hello. Runs when the script is started."""
    print(f"Hello {name}!")
    pub.sendMessage(topics.user.script.announce, msg=f"Hello {name}!")
