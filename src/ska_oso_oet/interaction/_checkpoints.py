"""Checkpoints: places where a script may be paused, stepped or stopped."""

from . import link


def checkpoint(label: str | None = None) -> None:
    """Mark a place where Pause, Step and a stop at a checkpoint take effect.

    If one of them was asked for, this waits until the script is resumed. Otherwise it returns within
    microseconds. It counts in the main thread of the script's own process: elsewhere, and outside of the
    OET, it does nothing. In a coroutine use `checkpoint_async`, which does not block the event loop.

    :param label: what is about to be done, e.g. ``"scan 2 of 5"``; shown to operators, at most 200 characters
    :raises TerminateInterrupt: if the script is stopped here
    """
    if (oet := link.connected) is not None:
        oet.checkpoint(label)


async def checkpoint_async(label: str | None = None) -> None:
    """Mark a place where this coroutine may be paused, stepped or stopped; see `checkpoint`.

    Other tasks of the event loop continue until they reach a checkpoint of their own.

    :param label: what is about to be done
    :raises asyncio.CancelledError: if the script is stopped here
    """
    if (oet := link.connected) is not None:
        await oet.checkpoint_async(label)
