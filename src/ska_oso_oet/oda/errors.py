"""Exceptions of the ODA. Each message says what happened and what to do."""

from ska_oso_oet.model import OetError


class OdaError(OetError):
    """Base of all errors of this package."""


class OdaNotConfiguredError(OdaError):
    """The settings of the ODA are missing or wrong, or name something that is not an ODA."""


class OdaUnavailableError(OdaError):
    """The ODA cannot be reached, or fails. The same request may succeed later."""


class OdaRefusedError(OdaError):
    """The ODA does not answer this request. The same request will be refused again."""


class StoringNotSupportedError(OdaError):
    """This ODA does not accept the record."""


class ListingNotSupportedError(OdaError):
    """This ODA cannot list its Scheduling Blocks."""


class InvalidIdentifierError(OdaError, ValueError):
    """An ID, a version or a URI is malformed."""


class UnknownSchedulingBlockError(OdaError, LookupError):
    """There is no Scheduling Block with this ID."""


class UnknownVersionError(OdaError, LookupError):
    """There is a Scheduling Block with this ID, but not in this version."""


class InvalidSchedulingBlockError(OdaError, ValueError):
    """The document is not a Scheduling Block."""


class UnknownActivityError(OdaError, LookupError):
    """The Scheduling Block has no activity of this name."""


class InvalidActivityError(OdaError, ValueError):
    """The Scheduling Block's description of an activity is defective."""
