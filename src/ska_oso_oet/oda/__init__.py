"""Where Scheduling Blocks come from: files, the ODA's REST service, or its PostgreSQL database."""

from .documents import (
    ActivityInstance,
    RuntimeArgs,
    SBActivity,
    SBDefinition,
    SBInstance,
    ScriptKind,
)
from .errors import (
    InvalidActivity,
    InvalidIdentifier,
    InvalidSchedulingBlock,
    OdaError,
    OdaNotConfigured,
    OdaRefused,
    OdaUnavailable,
    StoringNotSupported,
    UnknownActivity,
    UnknownSchedulingBlock,
    UnknownVersion,
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
    "InvalidActivity",
    "InvalidIdentifier",
    "InvalidSchedulingBlock",
    "Oda",
    "OdaAddress",
    "OdaError",
    "OdaNotConfigured",
    "OdaRefused",
    "OdaUnavailable",
    "RuntimeArgs",
    "SBActivity",
    "SBDefinition",
    "SBInstance",
    "ScriptKind",
    "StoringNotSupported",
    "UnknownActivity",
    "UnknownSchedulingBlock",
    "UnknownVersion",
    "checked_id",
    "checked_version",
    "load_sbdefinition",
    "open_oda",
    "parse_sbd_uri",
]
