"""A periodic task: does what is due, sleeps until the next thing is due, wakes early when told."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

PAUSE_AFTER_ERROR_SECONDS = 1.0  # after `work` raised, for example because the file was locked

log = logging.getLogger(__name__)


class PeriodicTask:
    """Calls `work` again and again.

    `work` does or starts what is due and returns the seconds until the next thing is due, or None
    where nothing is due until somebody calls `wake`.
    """

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.create_task(self._loop())

    def wake(self) -> None:
        """Call `work` now."""
        self._woken.set()

    async def stop(self) -> None:
        """End; what `work` started is not waited for."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _loop(self) -> None:
        while True:
            self._woken.clear()
            try:
                seconds = self._work()
            except Exception:  # the edge: nothing would start a loop that ended here again
                log.exception("a periodic task failed")
                seconds = PAUSE_AFTER_ERROR_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
