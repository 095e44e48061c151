"""Why a Scheduling Block cannot be had. Each message says what happened and what to do."""


class OdaError(Exception):
    """Base of all errors of this package."""


class OdaNotConfigured(OdaError):
    """The settings of the ODA are missing or wrong, or lead to something that is no ODA."""


class OdaUnavailable(OdaError):
    """The ODA cannot be reached, or fails. The same request may succeed later."""


class OdaRefused(OdaError):
    """The ODA does not answer this request. The same request will be refused again."""


class StoringNotSupported(OdaError):
    """This ODA does not take what was to be stored."""


class InvalidIdentifier(OdaError, ValueError):
    """An ID, a version or a URI is malformed."""


class UnknownSchedulingBlock(OdaError, LookupError):
    """There is no Scheduling Block of this ID."""


class UnknownVersion(OdaError, LookupError):
    """There is a Scheduling Block of this ID, and not in this version."""


class InvalidSchedulingBlock(OdaError, ValueError):
    """What was found is no Scheduling Block."""


class UnknownActivity(OdaError, LookupError):
    """The Scheduling Block has no activity of this name."""


class InvalidActivity(OdaError, ValueError):
    """The Scheduling Block's description of an activity is defective."""
