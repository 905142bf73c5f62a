"""Access tokens of a provider (SNAP BI 73): one request in flight, and a bounded wait for it.

A valid token is used, and before it ends the next one is requested in the background.  Without a
token, the first caller requests one, and all others wait for the same answer, no longer than
`wait_seconds_max`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from meterai.payments.model import OutcomeUnknown, ProviderRefused, ProviderUnreachable

SHARE_BEFORE_END = 0.25  # of a token's life before its end: then the next one is requested
SHARE_UNUSED = 0.05  # of a token's life at its end: too late for a new call


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the provider, with its life in seconds."""

    text: str
    life_seconds: float


class AccessTokens:
    """The token in use and the request for the next."""

    def __init__(self, ask: Callable[[], Awaitable[Token]], wait_seconds_max: float) -> None:
        self._ask = ask
        self._wait_seconds_max = wait_seconds_max
        self._token: Token | None = None
        self._ends_at = 0.0  # by time.monotonic
        self._asking: asyncio.Task[Token] | None = None

    async def get(self) -> str:
        """A valid token.  Refuses `ProviderUnreachable`: only a token request was sent."""
        left = self._ends_at - time.monotonic()
        if self._token is not None and left > SHARE_UNUSED * self._token.life_seconds:
            if left < SHARE_BEFORE_END * self._token.life_seconds:
                self._begin()
            return self._token.text
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                return (await asyncio.shield(self._begin())).text
        except (OutcomeUnknown, ProviderRefused, ProviderUnreachable, TimeoutError) as error:
            # Also if the outcome is unknown: a lost token moves no money.
            raise ProviderUnreachable(f"no access token: {error!r}"[:200]) from None

    def drop(self, text: str) -> None:
        """Drop a token that the provider rejected; a newer one is kept."""
        if self._token is not None and self._token.text == text:
            self._token = None

    async def close(self) -> None:
        """Stop the request under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _begin(self) -> asyncio.Task[Token]:
        """The request under way; begins one if there is none."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
            # There may be no caller: the exception is retrieved here, or asyncio would log it as
            # never retrieved.  The next caller begins another request.
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._asking

    async def _renew(self) -> Token:
        token = await self._ask()
        self._token, self._ends_at = token, time.monotonic() + token.life_seconds
        return token
