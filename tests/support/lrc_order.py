"""The order in which the attributes of the long-running-command protocol are announced."""

from tests.support.events import EventLog

from oet_devices.ska.lrc_attributes import LrcAttribute

ORDER = list(LrcAttribute)
"""Result, progress, the other attributes of version 1, _lrcEvent, lrcQueue, lrcExecuting, lrcFinished."""


def announcements(log: EventLog) -> list[list[str]]:
    """Return what was announced together, as names of attributes: each a part of `ORDER`, in that order.

    :param log: has heard all attributes of the protocol
    """
    reported: list[list[str]] = []
    before = len(ORDER)
    for attribute, _ in log.events:
        place = ORDER.index(LrcAttribute(attribute))
        # One announcement ends where the next begins, where the order starts again.
        if place <= before:
            reported.append([])
        reported[-1].append(ORDER[place].value)
        before = place
    return reported
