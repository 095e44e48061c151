"""Limits as Markdown, from the constants that the code enforces."""

from ska_oso_oet.activity.application import MAX_BLOCK
from ska_oso_oet.model import MAX_CONTEXT, MAX_LABEL, MAX_PART
from ska_oso_oet.model.queue import MAX_BATCH
from ska_oso_oet.model.queue_shown import ENTRIES_SHOWN
from ska_oso_oet.model.scheduling_blocks import MAX_FOUND
from ska_oso_oet.mptools.encoding import MAX_MESSAGE
from ska_oso_oet.procedure.application.script_list import MAX_SCRIPTS
from ska_oso_oet.procedure.domain.settings import OUTPUT_LOGS
from ska_oso_oet.procedure.domain.source import LONG
from ska_oso_oet.procedure.execution.kept_files import KEPT_PROCEDURES, MAX_LISTED
from ska_oso_oet.procedure.execution.output import MAX_LINE, TAIL_LINES
from ska_oso_oet.procedure.worker.messages import MAX_STACKTRACE
from ska_oso_oet.procedure.worker.results import MAX_RESULT
from ska_oso_oet.sidecar.identity import SESSION_SECONDS
from ska_oso_oet.sidecar.ring import MAX_BYTES
from ska_oso_oet.sidecar.settings import Settings

from ...controller import OETController
from ...executor import KEPT_DOCUMENTS
from ...json_text import MAX_DEPTH, MAX_TEXT
from ...properties import MAX_STANDBY_WORKERS, MAX_SUBARRAY
from ...ska.command_record import MAX_RESULT_BYTES
from ...ska.commands import RETENTION
from ...ska.logging_configuration import MAX_TARGETS
from ...ska.lrc_attributes import MAX_ACTIVE, MAX_FINISHED, MAX_QUEUED
from .markdown import table

_PROPERTIES = (
    "ScriptSizeLimit",
    "ReadyLimit",
    "ReadyTimeout",
    "InitTimeout",
    "StopGracePeriod",
    "FilesLimit",
    "HistoryLength",
    "EventRetention",
    "EnvironmentLimit",
    "EnvironmentTimeout",
    "OdaTimeout",
)

_Rows = list[tuple[str, str]]


def _size(count: int) -> str:
    """Return a number of bytes as people write it."""
    for power, unit in ((20, "MiB"), (10, "KiB")):
        if count % (1 << power) == 0:
            return f"{count >> power} {unit}"
    return f"{count:,} bytes"


_REQUESTS: _Rows = [
    ("text of a JSON argument, or of a script's URI", f"{MAX_TEXT:,} characters"),
    ("nesting of JSON", f"{MAX_DEPTH} levels"),
    ("numbers in JSON", "64 bits"),
    ("body of a request to the REST service", _size(Settings.max_body)),
    ("time for the head of a request to the REST service", f"{Settings.head_timeout:g} s"),
    ("time for its body", f"{Settings.body_timeout:g} s"),
    ("number of a subarray", f"1 to {MAX_SUBARRAY}"),
    ("entries that one request adds to the queue", f"{MAX_BATCH:,}"),
    ("context of scripts, as JSON", f"{MAX_CONTEXT:,} bytes"),
]

_SCRIPTS: _Rows = [
    ("script that the device server reads itself; a process reads a longer one", _size(LONG)),
    ("line of output; a longer one is broken", _size(MAX_LINE)),
    ("event that a script publishes, as JSON", _size(MAX_MESSAGE)),
    ("result of main, as JSON; of a larger one, `result_omitted` says so", _size(MAX_RESULT)),
    ("stack trace; the middle of a longer one is left out", f"{MAX_STACKTRACE:,} characters"),
    ("label of a checkpoint", f"{MAX_LABEL} characters"),
    ("files that are listed of a procedure", str(MAX_LISTED)),
    ("Scheduling Block", f"{MAX_BLOCK:,} bytes"),
    ("processes that are kept warm (`StandbyWorkers`)", str(MAX_STANDBY_WORKERS)),
]

_KEPT: _Rows = [
    ("procedures and activities that can be read, in addition to the live ones", f"{KEPT_DOCUMENTS:,}"),
    ("procedures whose output is kept", str(OUTPUT_LOGS)),
    ("procedures whose files are kept", str(KEPT_PROCEDURES)),
    ("lines of output in `scriptOutput`", str(TAIL_LINES)),
    ("scripts in the attribute `scripts`", f"{MAX_SCRIPTS:,}"),
    ("entries in the attribute `queue` that have not ended", str(ENTRIES_SHOWN)),
    ("Scheduling Blocks that one search finds", str(MAX_FOUND)),
    ("part of a file in one answer of GetFile", _size(MAX_PART)),
]

_COMMANDS: _Rows = [
    ("long-running commands that wait", str(MAX_QUEUED)),
    ("long-running commands that wait or execute", str(MAX_ACTIVE)),
    ("commands in lrcFinished", str(MAX_FINISHED)),
    ("time that an ended command stays in the longRunningCommand attributes", f"{RETENTION:g} s"),
    ("result of a command, as JSON", _size(MAX_RESULT_BYTES)),
    ("logging targets", str(MAX_TARGETS)),
]

_STREAMS: _Rows = [
    ("events that the REST service holds for streams", _size(MAX_BYTES)),
    ("events that a stream may be behind before it is ended (`OET_MAX_LAG`)", f"{Settings.max_lag:,}"),
    ("time between the comments that keep a stream open", f"{Settings.heartbeat:g} s"),
    ("time that a session of the control page lasts", f"{SESSION_SECONDS // 86400} days"),
]


def limits() -> str:
    """Return the limits: those that a site sets, and those that are fixed."""
    known = OETController.TangoClassClass.device_property_list
    rows = [(f"[`{name}`](properties.md)", str(known[name][2]), known[name][1]) for name in _PROPERTIES]
    parts = ["## Set by a property", table(("property", "default", "meaning"), rows)]
    for title, fixed in (
        ("Requests", _REQUESTS),
        ("Scripts", _SCRIPTS),
        ("What is kept and shown", _KEPT),
        ("Long-running commands", _COMMANDS),
        ("REST service", _STREAMS),
    ):
        parts += [f"## {title}", table(("what", "limit"), fixed)]
    return "\n\n".join(parts)
