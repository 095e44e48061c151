"""Exceptions of the client, and their translation from those of Tango."""

import json
from contextlib import suppress
from typing import Any

import tango

from ska_oso_oet.model import DETAILS_REASON, OetError


class ControllerError(OetError):
    """A request to the controller failed. Its text is a sentence for people.

    :param message: what happened, and what to do
    :param reason: reason of the DevFailed that caused it, empty if there was none
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class DeviceAwayError(ControllerError):
    """The controller cannot be reached, or it cannot work. The same request may succeed later."""


class DeviceTimeoutError(ControllerError):
    """The controller did not answer in time. It is not known whether it carried out the request."""


class OdaFailedError(ControllerError):
    """The controller cannot read from the ODA. The same request may succeed later."""


class NotOfferedError(ControllerError):
    """This version of the controller does not support the request."""


class RequestRejectedError(ControllerError):
    """The state of the controller, or of a procedure, forbids the request."""


class InvalidRequestError(ControllerError):
    """The request is not valid and can never succeed."""


class ScriptNotAtHandError(InvalidRequestError):
    """The text of a script is not available yet, or too long to be read at once."""


class NotFoundError(ControllerError):
    """The procedure, activity, entry of the queue or question does not exist, or is no longer kept."""


class NotKeptError(ControllerError):
    """A record of a procedure is not kept, although the procedure is."""


class OutputNotKeptError(NotKeptError):
    """The output of a procedure is not kept, although the procedure is."""


class DeviceLockedError(ControllerError):
    """Another Tango client has locked the controller, by ``DeviceProxy.lock``."""


class NotPermittedError(ControllerError):
    """Tango's access control gives this user read access only."""


class EventsNoLongerKeptError(ControllerError):
    """The controller no longer keeps the requested events.

    :param first: number of the oldest event that it still keeps
    """

    def __init__(self, message: str, first: int) -> None:
        super().__init__(message, "OET_EventsNoLongerKept")
        self.first = first


def closed_error(device: str) -> ControllerError:
    """Return the exception for the use of a closed client.

    :param device: name of the device
    """
    return ControllerError(f"This client of {device} has been closed: create another one.")


_KINDS: dict[str, type[ControllerError]] = {
    "OET_InvalidArgument": InvalidRequestError,
    "OET_ScriptNotFound": InvalidRequestError,
    "OET_ScriptNotAllowed": InvalidRequestError,
    "OET_ScriptDefective": InvalidRequestError,
    "OET_ScriptNotAtHand": ScriptNotAtHandError,
    "OET_ArgumentsDoNotFit": InvalidRequestError,
    "SKA_InvalidLoggingTarget": InvalidRequestError,
    "OET_ProcedureNotFound": NotFoundError,
    "OET_ActivityNotFound": NotFoundError,
    "OET_QueueEntryNotFound": NotFoundError,
    "OET_QueueEntryBegun": RequestRejectedError,
    "OET_StateForbids": RequestRejectedError,
    "OET_QuestionNotFound": NotFoundError,
    "OET_QuestionClosed": RequestRejectedError,
    "OET_AnswerDoesNotFit": InvalidRequestError,
    "OET_OutputNotKept": OutputNotKeptError,
    "OET_NotKept": NotKeptError,
    "OET_FileNotFound": NotFoundError,
    "OET_NotAvailable": DeviceAwayError,
    "OET_JournalUnavailable": DeviceAwayError,
    "API_CommandNotFound": NotOfferedError,
    "API_AttrNotFound": NotOfferedError,
    "API_ReadOnlyMode": NotPermittedError,
    "API_CommandNotAllowed": RequestRejectedError,
    "API_DeviceLocked": DeviceLockedError,
    "API_DeviceTimedOut": DeviceTimeoutError,
    # The device answers, but another request holds its monitor.
    "API_CommandTimedOut": DeviceTimeoutError,
    "DB_DeviceNotDefined": DeviceAwayError,
    "API_DeviceNotExported": DeviceAwayError,
    "API_DeviceNotDefined": DeviceAwayError,
    "API_TangoHostNotSet": DeviceAwayError,
    # Within a second of the last attempt to connect, this is not raised as ConnectionFailed.
    "API_CantConnectToDevice": DeviceAwayError,
    "API_CantConnectToDatabase": DeviceAwayError,
}


def controller_error(device: str, failure: tango.DevFailed) -> ControllerError:
    """Translate a failure that Tango reports into an exception of this module.

    :param device: name of the device
    :param failure: what PyTango raised
    """
    reasons = {error.reason: error.desc.strip() for error in failure.args}
    details = _details(reasons.pop(DETAILS_REASON, "{}"))
    reason, text = next(iter(reasons.items()), ("", str(failure)))
    if reason == "OET_EventsNoLongerKept" and isinstance(first := details.get("first"), int):
        return EventsNoLongerKeptError(text, first)
    # The outermost error is the one that says what failed, those below it why: a time-out hides there.
    for known, kind in _KINDS.items():
        if known in reasons:
            return kind(_explain(device, kind, reasons[known]), known)
    if isinstance(failure, (tango.ConnectionFailed, tango.CommunicationFailed)):
        return DeviceAwayError(_explain(device, DeviceAwayError, text), reason)
    return ControllerError(f"{device}: {text}", reason)


def _details(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        if isinstance(details := json.loads(text), dict):
            return details
    return {}


def _explain(device: str, kind: type[ControllerError], text: str) -> str:
    first_line = text.partition("\n")[0]
    if kind is DeviceAwayError:
        return f"The device {device} cannot be reached, or cannot work: {first_line}"
    if kind is DeviceTimeoutError:
        return (
            f"The device {device} did not answer in time; it is not known whether it did its task: "
            f"{first_line}"
        )
    if kind is DeviceLockedError:
        reason = first_line.rstrip(".")
        return f"{reason}. Try again once the client that has locked the device unlocks it, or ends."
    if kind is NotOfferedError:
        return f"The device {device} does not offer this; update its device server: {first_line}"
    return text
