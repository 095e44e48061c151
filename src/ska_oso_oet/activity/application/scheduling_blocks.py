"""Scheduling Blocks: where they come from, and whom to tell that one is executed."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ska_oso_oet.oda import (
    Oda,
    OdaError,
    OdaUnavailableError,
    SBDefinition,
    SBInstance,
    StoringNotSupportedError,
    load_sbdefinition,
)

LOGGER = logging.getLogger(__name__)


class SchedulingBlocks:
    """The ODA, opened when it is first needed, and files. Its methods may take long.

    A service whose ODA is not set up can do all that needs none.

    :param open_oda: opens the ODA
    :param roots: folders that files of Scheduling Blocks may be in
    :param record_executions: whether to tell the ODA what is executed
    """

    def __init__(
        self, open_oda: Callable[[], Oda], roots: Sequence[Path], record_executions: bool = True
    ) -> None:
        self._open_oda = open_oda
        self._roots = roots
        self._record_executions = record_executions
        self._lock = threading.Lock()
        self._oda: Oda | None = None
        self._closed = False

    def load(self, uri: str) -> SBDefinition:
        """Return the Scheduling Block that a URI names.

        :param uri: ``file:///path.json`` or ``oda://sbd-id[/version]``
        :raises OdaError: if it cannot be had
        """
        return load_sbdefinition(uri, self.opened(), self._roots)

    def has_changed(self, uri: str, known: SBDefinition) -> bool:
        """Return whether a Scheduling Block is not as it was; it counts as it was while it cannot be had.

        :param uri: ``file:///path.json`` or ``oda://sbd-id``
        :param known: what it was
        """
        try:
            return self.load(uri) != known
        except OdaError as error:
            LOGGER.warning(
                "Scheduling Block %s cannot be read again, and the known version is used: %s",
                known.sbd_id,
                error,
            )
            return False

    def record(self, instance: SBInstance) -> None:
        """Tell the ODA that a Scheduling Block is executed; an observation does not depend on that.

        :param instance: the record
        """
        if not self._record_executions:
            return
        try:
            self.opened().store_sbinstance(instance)
        except StoringNotSupportedError as error:
            LOGGER.debug("The execution of %s is not recorded: %s", instance.sbd_id, error)
        except OdaError as error:
            LOGGER.warning("The execution of %s could not be recorded: %s", instance.sbd_id, error)

    def close(self) -> None:
        """Let go of the ODA. Requests that wait for their next attempt end at once."""
        with self._lock:
            self._closed = True
            if self._oda is not None:
                self._oda.close()

    def opened(self) -> Oda:
        """Return the ODA, and open it if that has not been done yet.

        :raises OdaError: if it cannot be opened
        """
        with self._lock:
            if self._closed:
                raise OdaUnavailableError("the server is being shut down; try again when it is back")
            if self._oda is None:
                self._oda = self._open_oda()
            return self._oda
