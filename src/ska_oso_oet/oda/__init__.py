"""Sources of Scheduling Blocks: files, the ODA's REST service, or its PostgreSQL database."""

from .documents import (
    ActivityInstance,
    RuntimeArgs,
    SBActivity,
    SBDefinition,
    SBInstance,
    ScriptKind,
)
from .errors import (
    InvalidActivityError,
    InvalidIdentifierError,
    InvalidSchedulingBlockError,
    ListingNotSupportedError,
    OdaError,
    OdaNotConfiguredError,
    OdaRefusedError,
    OdaUnavailableError,
    StoringNotSupportedError,
    UnknownActivityError,
    UnknownSchedulingBlockError,
    UnknownVersionError,
)
from .filesystem import FilesystemOda
from .identifiers import checked_id, checked_version
from .interface import DEFAULT_TIME_LIMIT, Oda
from .selection import DEFAULT_DATA_DIR, SAMPLES_DIR, BackendType, open_oda
from .uri import OdaAddress, load_sbdefinition, parse_sbd_uri

__all__ = [
    "DEFAULT_DATA_DIR",
    "DEFAULT_TIME_LIMIT",
    "SAMPLES_DIR",
    "ActivityInstance",
    "BackendType",
    "FilesystemOda",
    "InvalidActivityError",
    "InvalidIdentifierError",
    "InvalidSchedulingBlockError",
    "ListingNotSupportedError",
    "Oda",
    "OdaAddress",
    "OdaError",
    "OdaNotConfiguredError",
    "OdaRefusedError",
    "OdaUnavailableError",
    "RuntimeArgs",
    "SBActivity",
    "SBDefinition",
    "SBInstance",
    "ScriptKind",
    "StoringNotSupportedError",
    "UnknownActivityError",
    "UnknownSchedulingBlockError",
    "UnknownVersionError",
    "checked_id",
    "checked_version",
    "load_sbdefinition",
    "open_oda",
    "parse_sbd_uri",
]
