"""The service that runs activities of Scheduling Blocks and describes them."""

from ska_oso_oet.model import ActivitySummary
from ska_oso_oet.oda import DEFAULT_TIME_LIMIT, SAMPLES_DIR, open_oda
from ska_oso_oet.oda.documents import MAX_SIZE as MAX_BLOCK

from .commands import ActivityCommand
from .service import ActivityService

__all__ = [
    "DEFAULT_TIME_LIMIT",
    "MAX_BLOCK",
    "SAMPLES_DIR",
    "ActivityCommand",
    "ActivityService",
    "ActivitySummary",
    "open_oda",
]
