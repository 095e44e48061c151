"""The properties of an OETController: types, defaults and meaning."""

from tango.server import class_property, device_property

from ska_oso_oet.activity.application import DEFAULT_TIME_LIMIT
from ska_oso_oet.procedure.domain.settings import FILES_LIMIT, READY_LIMIT
from ska_oso_oet.procedure.domain.source import SIZE_LIMIT

QUERY_COMMANDS = (
    "CheckLongRunningCommandStatus",
    "DescribeActivity",
    "DescribeProcedure",
    "DescribeQueueEntry",
    "DescribeScript",
    "GetEnvironment",
    "GetEvents",
    "GetFigures",
    "GetFile",
    "GetFiles",
    "GetOutput",
    "GetProcedures",
    "GetQueue",
    "GetVersionInfo",
)
"""Commands that change nothing."""

AllowedAccessCmd = class_property(
    dtype="DevVarStringArray",
    default_value=list(QUERY_COMMANDS),
    doc="Commands that users with read access may send under Tango's access control, in addition to State "
    "and Status. Only the value in the Tango database counts: without one, they may send none.",
)
ScriptRoots = device_property(
    dtype="DevVarStringArray",
    default_value=[],
    doc="Folders, as absolute paths, below which scripts may be run. Without any, the scripts that ship.",
)
GitRepositories = device_property(
    dtype="DevVarStringArray",
    default_value=[],
    doc="Git repositories that scripts may be run from: patterns of their URLs, such as "
    "https://host.org/group/*, where * and ? match within the scheme, the host, or the path; * alone "
    "matches all. Without any, scripts from git are refused.",
)
StateDirectory = device_property(
    dtype="DevString",
    default_value="",
    doc="Folder, as an absolute path, for the journal, for the output of scripts and for what scripts "
    "from git need, used by this device alone. "
    "Without it, a folder named after the device in OET_STATE_DIRECTORY or ~/.local/state/ska-oso-oet.",
)
HistoryLength = device_property(
    dtype="DevLong",
    default_value=10,
    doc="How many procedures that have ended are listed, and how many activities.",
)
StandbyWorkers = device_property(
    dtype="DevLong",
    default_value=1,
    doc="How many processes are kept warm, so that Create takes milliseconds; 0 for none.",
)
StopGracePeriod = device_property(
    dtype="DevDouble",
    default_value=5.0,
    doc="Seconds between asking a script to end and killing its processes.",
)
InitTimeout = device_property(
    dtype="DevDouble",
    default_value=0.0,
    doc="Seconds that loading a script and its init() may take together; 0 for any time.",
)
ScriptSizeLimit = device_property(
    dtype="DevLong",
    default_value=SIZE_LIMIT,
    doc="Bytes that a script may have. A larger one is refused, and its file is not opened.",
)
AllowEmbeddedScripts = device_property(
    dtype="DevBoolean",
    default_value=False,
    doc="Whether a request may contain the text of a script. If so, every client may run any code with the "
    "rights of the server; ScriptRoots and GitRepositories do not prevent that.",
)
SecretVariables = device_property(
    dtype="DevVarStringArray",
    default_value=[],
    doc="Environment variables of the server that scripts, and builds of their environments, do not get, "
    "in addition to OET_API_TOKEN, OET_JOURNAL_URL, PGPASSWORD and ADMIN_POSTGRES_PASSWORD. Those of all "
    "controllers "
    "of a server count together. Read when the server starts.",
)
ReadyLimit = device_property(
    dtype="DevLong",
    default_value=READY_LIMIT,
    doc="How many procedures may wait to be started, each in a process of its own; 0 for any number. "
    "A further one is refused, except for an abort script.",
)
ReadyTimeout = device_property(
    dtype="DevDouble",
    default_value=0.0,
    doc="Seconds that a procedure may be READY without being started; 0 for any time. Then it is stopped, "
    "with the reason, except for what the queue has prepared.",
)
FilesLimit = device_property(
    dtype="DevLong",
    default_value=FILES_LIMIT,
    doc="Bytes of files that are kept of one procedure, of those that its script has left in its working "
    "directory; 0 for none. Those of the newest 100 procedures with files are kept.",
)
EnvironmentLimit = device_property(
    dtype="DevLong",
    default_value=5,
    doc="How many environments of scripts from git are kept while no script uses them; "
    "those that were used last.",
)
EnvironmentTimeout = device_property(
    dtype="DevDouble",
    default_value=600.0,
    doc="Seconds that fetching a git repository, or building an environment, may take; 0 for any time.",
)
AbortScript = device_property(
    dtype="DevString",
    default_value="",
    doc="URI of the script that Stop with abort runs; without it, one that sends Abort to the subarray.",
)
SubarrayId = device_property(
    dtype="DevLong",
    doc="The only subarray that scripts may use, and that Stop with abort sends Abort to; 0 for any. "
    "Without it, what the environment variable SUBARRAY_ID of the server says, else any.",
)
QueueAutostart = device_property(
    dtype="DevBoolean",
    default_value=False,
    doc="Whether the queue runs as soon as the server has started. Without it, the queue is STOPPED "
    "then, and says why.",
)
QueueStopOnFailure = device_property(
    dtype="DevBoolean",
    default_value=True,
    doc="Whether the queue stops, with the reason, when an entry fails or is stopped.",
)
OdaTimeout = device_property(
    dtype="DevDouble",
    default_value=DEFAULT_TIME_LIMIT,
    doc="Seconds that the ODA's REST service may take to give a Scheduling Block, all attempts together.",
)
EventRetention = device_property(
    dtype="DevLong", default_value=100_000, doc="How many events are kept for GetEvents."
)
Notify = device_property(
    dtype=("DevString",),
    default_value=[],
    doc="Where people are notified that a procedure FAILED, the queue stopped, a question waits, or health "
    "is not OK: URLs as the library apprise takes them, e.g. mailto:// or slack://. Needs the extra notify.",
)
