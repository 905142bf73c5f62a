"""A watchman: looks at what is due, sleeps until the next thing is, wakes early when told."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

AFTER_A_FAULT_SECONDS = 1.0  # pause when a visit broke, for example on a locked file

log = logging.getLogger(__name__)


class Rounds:
    """Calls `visit` again and again.

    `visit` does or starts what is due and returns the seconds until the next thing is due, or
    None if only a call of `wake` can bring news.
    """

    def __init__(self, visit: Callable[[], float | None]) -> None:
        self._visit = visit
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.create_task(self._walk())

    def wake(self) -> None:
        """There is news: look now."""
        self._woken.set()

    async def stop(self) -> None:
        """End; what `visit` started is not waited for."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _walk(self) -> None:
        while True:
            self._woken.clear()
            try:
                seconds = self._visit()
            except Exception:  # the edge: a watchman who stops is not missed by anybody
                log.exception("a visit broke")
                seconds = AFTER_A_FAULT_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
