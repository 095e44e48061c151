"""Why the controller did not do what it was asked for, and how that follows from what Tango raises."""

import json
from contextlib import suppress
from typing import Any

import tango

from ska_oso_oet.model import DETAILS_REASON, OetError


class ControllerError(OetError):
    """A request to the controller failed. Its text is a sentence for people.

    :param message: what happened, and what to do
    :param reason: reason of the DevFailed that told it, empty if there was none
    """

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class DeviceAwayError(ControllerError):
    """The controller cannot be reached, or it cannot work. It may be able to later."""


class DeviceTimeoutError(ControllerError):
    """The controller did not answer in time. Whether it did what it was asked for is not known."""


class OdaFailedError(ControllerError):
    """The controller cannot get what was asked for from the ODA. It may be able to later."""


class NotOfferedError(ControllerError):
    """This version of the controller does not have what was asked for."""


class RequestRejectedError(ControllerError):
    """The state of the controller, or of a procedure, forbids what was asked for."""


class InvalidRequestError(ControllerError):
    """What was asked for can never be done as it was asked for."""


class ScriptNotAtHandError(InvalidRequestError):
    """The text of a script is not at hand, or too long to be read at once."""


class NotFoundError(ControllerError):
    """There is no such procedure, activity, entry of the queue or question, or it is no longer kept."""


class NotKeptError(ControllerError):
    """What is asked for of a procedure is not kept, although the procedure is."""


class OutputNotKeptError(NotKeptError):
    """The output of a procedure is not kept, although the procedure is."""


class DeviceLockedError(ControllerError):
    """Another Tango client has locked the controller, by ``DeviceProxy.lock``."""


class NotPermittedError(ControllerError):
    """Tango's access control lets this user look, and not touch."""


class EventsNoLongerKeptError(ControllerError):
    """Events were asked for that the controller has dropped.

    :param first: number of the oldest event that it still keeps
    """

    def __init__(self, message: str, first: int) -> None:
        super().__init__(message, "OET_EventsNoLongerKept")
        self.first = first


def closed_error(device: str) -> ControllerError:
    """Return what to tell whoever uses a client that was closed.

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
    # Not always raised as ConnectionFailed: not within a second of the last attempt to connect.
    "API_CantConnectToDevice": DeviceAwayError,
    "API_CantConnectToDatabase": DeviceAwayError,
}


def controller_error(device: str, failure: tango.DevFailed) -> ControllerError:
    """Return what a failure that Tango reports means for whoever made the request.

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
