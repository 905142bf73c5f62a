"""Permit of one request, held until the request ends, except while its body is uploaded."""

import asyncio
from time import monotonic

from meterai.kit.priority import Priority
from meterai.limiter.limiter import Limiter
from meterai.limiter.waiting import WaitingRequest
from meterai.plumbing.db.database import DatabaseBusy
from meterai.plumbing.permits import WorkPurpose


class Permit:
    """The permit of one request. The code that created it calls `end` once."""

    def __init__(self, limiter: Limiter, user: bytes, purpose: WorkPurpose) -> None:
        self.limiter = limiter
        self._user = user
        self._purpose = purpose
        self._is_held = True
        self._changed_at = monotonic()
        self._seconds = 0.0  # for which it was held before it was last released or regained
        purpose.release_permit, purpose.regain_permit = self.release_permit, self.regain_permit

    @property
    def _priority(self) -> Priority:
        return self._purpose.priority

    def release_permit(self) -> None:
        """Release the permit during the body upload."""
        if self._is_held and self.limiter.release(self._priority):
            self._seconds += self._change()
            self._is_held = False

    async def regain_permit(self) -> None:
        """Wait for a permit again after the upload.

        Refuses `DatabaseBusy` if no permit becomes free in time; then the work of the request has not begun.
        """
        if self._is_held:
            return
        request = self.limiter.ask(self._priority, self._user)
        if isinstance(request, WaitingRequest):
            has_permit = await self._waited(request)
        else:
            has_permit = request
        if not has_permit:
            raise DatabaseBusy("no permit became free after the body arrived")
        self.limiter.regained()
        self._is_held = True
        # The allowed time to answer starts when the whole body has arrived.
        self._purpose.until += self._change()

    async def _waited(self, request: WaitingRequest) -> bool:
        try:
            return await request.permit
        except BaseException:  # cancelled: the client has gone, or the server stops
            self.limiter.withdraw(request)
            raise

    def end(self) -> None:
        """End the request and give its permit back."""
        if self._is_held:
            # The permit is given back at the end of this turn of the event loop. Otherwise a request that never waits
            # would end before the next one asks, and a thousand of them would run in one turn.
            seconds = self._seconds + self._change()
            asyncio.get_running_loop().call_soon(
                self.limiter.ended, self._priority, self._user, seconds
            )
        else:
            self.limiter.regained()
            self.limiter.used(self._user, self._seconds)

    def _change(self) -> float:
        now = monotonic()
        passed, self._changed_at = now - self._changed_at, now
        return passed
