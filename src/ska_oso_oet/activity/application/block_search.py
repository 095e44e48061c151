"""Searches for Scheduling Blocks, in the background."""

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

from ska_oso_oet.model import FoundSchedulingBlock, SchedulingBlockPage, SchedulingBlockQuery
from ska_oso_oet.oda import ListingNotSupportedError, Oda

from .daemon_pool import DaemonPool

_MAX_PAGE = 60_000
"""Bytes of JSON that the Scheduling Blocks of a page may have: with what is around them, less than 64 KiB."""
_MAX_NAMES = 8_000
"""Bytes of JSON that the names of the activities of one Scheduling Block may have."""
_MAX_DEFECT = 500
"""Characters of a defect."""


class BlockSearch:
    """Finds Scheduling Blocks in the ODA, in a thread, because that may take long.

    :param opened: returns the ODA; may raise an `OdaError`
    :param threads: threads that send the requests to the ODA
    """

    def __init__(self, opened: Callable[[], Oda], threads: DaemonPool) -> None:
        self._opened = opened
        self._threads = threads
        self._lock = threading.Lock()
        self._begun: set[Future[str]] = set()

    def begin(self, query: SchedulingBlockQuery) -> "Future[str]":
        """Begin a search, and return at once.

        :param query: the query
        :returns: gets a `SchedulingBlockPage` as JSON in ASCII, or an `OdaError`; can always be cancelled
        """
        # It never counts as running: a cancellation must not wait for an ODA that does not answer.
        search: Future[str] = Future()
        with self._lock:
            self._begun.add(search)
        search.add_done_callback(self._forget)
        self._threads.submit(lambda: self._carry_out(search, query))
        return search

    def close(self) -> None:
        """Cancel all searches."""
        with self._lock:
            begun = list(self._begun)
        for search in begun:
            search.cancel()

    def _forget(self, search: "Future[str]") -> None:
        with self._lock:
            self._begun.discard(search)

    def _carry_out(self, search: "Future[str]", query: SchedulingBlockQuery) -> None:
        if search.cancelled():
            return
        with suppress(InvalidStateError):  # it may be cancelled meanwhile
            try:
                search.set_result(json.dumps(self._find(query).model_dump()))
            except InvalidStateError:
                raise
            except Exception as error:  # any exception is reported to the client
                search.set_exception(error)

    def _find(self, query: SchedulingBlockQuery) -> SchedulingBlockPage:
        try:
            found = self._opened().find_sbdefinitions(query.query, query.limit + 1)
        except ListingNotSupportedError as error:
            return SchedulingBlockPage(sbds=[], cannot_list=str(error))
        shown = _fitting(map(_abridged, found[: query.limit]))
        return SchedulingBlockPage(sbds=shown, more=len(shown) < len(found))


def _fitting(found: Iterable[FoundSchedulingBlock]) -> list[FoundSchedulingBlock]:
    """Return as many as fit into a page."""
    fitting: list[FoundSchedulingBlock] = []
    room = _MAX_PAGE
    for each in found:
        room -= _size(each.model_dump())
        if room < 0:
            break
        fitting.append(each)
    return fitting


def _abridged(found: FoundSchedulingBlock) -> FoundSchedulingBlock:
    """Return the same, without names of activities and without text that make it too long."""
    names: list[str] = []
    room = _MAX_NAMES
    for name in found.activities:
        room -= _size(name)
        if room < 0:
            break
        names.append(name)
    defect = found.defect
    if defect is not None and len(defect) > _MAX_DEFECT:
        defect = f"{defect[:_MAX_DEFECT]}…"
    omitted = len(found.activities) - len(names)
    return found.model_copy(update={"activities": names, "activities_omitted": omitted, "defect": defect})


def _size(value: object) -> int:
    return len(json.dumps(value)) + len(", ")
