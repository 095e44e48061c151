"""Cache of packages for further environments: used only if no script has changed it."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from .inventory import Inventory, files_of, inventory_path

LOGGER = logging.getLogger(__name__)


class PackageCache:
    """Guards the folder of packages. Belongs to the message loop.

    Simultaneous builds share the folder: it is compared with its inventory before the first of them, and the
    inventory is stored after the last. A folder that was changed in between is removed, and fetched again.

    :param folder: the folder
    :param put_away: removes a folder in the background, once it has another name
    :param threads: looks at the files
    """

    def __init__(self, folder: Path, put_away: Callable[[Path], None], threads: Executor) -> None:
        self._folder = folder
        self._put_away = put_away
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._builds = 0
        self._known: Inventory | None = None

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Context in which a build may use the folder."""
        async with self._turn:
            if self._builds == 0:
                await self._loop.run_in_executor(self._threads, self._require_unchanged)
            self._builds += 1
        try:
            yield
        finally:
            async with self._turn:
                self._builds -= 1
                if self._builds == 0:
                    await self._loop.run_in_executor(self._threads, self._record)

    def _require_unchanged(self) -> None:
        if not self._folder.exists():
            return
        known = self._known if self._known is not None else self._recorded()
        if known is None or known != files_of(self._folder):
            LOGGER.warning(
                "%s was changed since the last build: its packages are fetched again", self._folder
            )
            self._put_away(self._folder)

    def _recorded(self) -> Inventory | None:
        """Return the inventory that a previous server has stored, None if it cannot be read."""
        try:
            known: Inventory = json.loads(inventory_path(self._folder).read_text())
        except (OSError, ValueError):
            return None
        return known

    def _record(self) -> None:
        # Without a record the packages are fetched again: slower, and never wrong.
        self._known = None
        if not self._folder.exists():
            return  # the site has chosen another one
        with suppress(OSError):
            present = files_of(self._folder)
            inventory_path(self._folder).write_text(json.dumps(present))
            self._known = present
