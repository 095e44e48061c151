"""Final states of procedures whose server died."""

import time
from datetime import UTC, datetime

from ska_oso_oet.event.summaries import Conclusion
from ska_oso_oet.model import ProcedureState, ProcedureSummary

from ..execution.kept_files import KeptFiles
from .recorder import state_change


def conclude_as_unknown(kept: KeptFiles, summary: ProcedureSummary) -> Conclusion[ProcedureSummary]:
    """Return the end of a procedure that was live when its server died.

    :param kept: the files that it has left
    :param summary: its last summary
    """
    now = time.time()
    noticed = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
    reason = (
        "The server of this procedure ended while the procedure was alive, and its process was killed; "
        f"the next server noticed that at {noticed}. "
        "It is not known how far the script ran: see its output and its events."
    )
    left = summary.model_copy(update={"files": kept.listing(summary.id).files})
    unknown = left.entering(ProcedureState.UNKNOWN, now, reason)
    return Conclusion(unknown, [state_change(unknown)])
