"""The service by which activities of Scheduling Blocks are run and looked at."""

from ska_oso_oet.oda import SAMPLES_DIR

from .commands import ActivityCommand
from .service import ActivityService
from .summary import ActivitySummary

__all__ = ["SAMPLES_DIR", "ActivityCommand", "ActivityService", "ActivitySummary"]
