"""Tasks of the message loop that nobody waits for."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

LOGGER = logging.getLogger(__name__)


def begin(work: Coroutine[Any, Any, None], what: str) -> None:
    """Begin a task, in the running loop. Should it fail, that is logged.

    :param work: what it does
    :param what: the same for people
    """

    def report(task: "asyncio.Task[None]") -> None:
        _begun.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOGGER.error("%s failed", what, exc_info=error)

    task = asyncio.get_running_loop().create_task(work)
    # The loop itself keeps only weak references.
    _begun.add(task)
    task.add_done_callback(report)


_begun: set["asyncio.Task[None]"] = set()
