"""A periodic task: it does due work, sleeps until the next work is due, and can be woken early."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

PAUSE_AFTER_ERROR_SECONDS = 1.0  # after `work` raised, for example because the file was locked

log = logging.getLogger(__name__)


class PeriodicTask:
    """Calls `work` repeatedly. `work` does or starts due work and returns the seconds until the next work is due, or None
    if nothing is due until a call of `wake`.
    """

    def __init__(self, work: Callable[[], float | None]) -> None:
        self._work = work
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task; needs a running event loop."""
        self._task = asyncio.create_task(self._loop())

    def wake(self) -> None:
        """Call `work` now."""
        self._woken.set()

    async def stop(self) -> None:
        """End the task, without waiting for what `work` started."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _loop(self) -> None:
        while True:
            self._woken.clear()
            try:
                seconds = self._work()
            except Exception:  # outermost handler: nothing would restart a loop that ended here
                log.exception("a periodic task failed")
                seconds = PAUSE_AFTER_ERROR_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
