"""Access to Scheduling Blocks in the ODA and in files, and reports of executions to the ODA."""

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
    """Reads Scheduling Blocks from the ODA, which is opened when first needed, and from files. May take long.

    Without an ODA, everything works that does not need one.

    :param open_oda: opens the ODA
    :param roots: folders that files of Scheduling Blocks may be in
    :param record_executions: whether to report executions to the ODA
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
        :raises OdaError: if it is unavailable
        """
        return load_sbdefinition(uri, self.opened(), self._roots)

    def has_changed(self, uri: str, known: SBDefinition) -> bool:
        """Return whether a Scheduling Block has changed; False while it cannot be read.

        :param uri: ``file:///path.json`` or ``oda://sbd-id``
        :param known: the version to compare with
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
        """Report to the ODA that a Scheduling Block is executed; a failure is logged only.

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
        """Close the ODA. Requests that wait for their next attempt end at once."""
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
