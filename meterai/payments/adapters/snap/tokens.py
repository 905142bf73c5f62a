"""Access tokens of a provider (SNAP BI service 73): at most one request in flight, and a bounded wait for it.

A valid token is used; before it expires, the next token is requested in the background.  If there is no valid token, the
first caller sends a request and all other callers wait for the same answer, at most `wait_seconds_max`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from meterai.payments.model import OutcomeUnknown, ProviderRefused, ProviderUnreachable

# With less than this share of its life left, a token is used and the next is requested.
SHARE_BEFORE_END = 0.25
# With less than this share of its life left, a token is not used for a new call.
SHARE_UNUSED = 0.05


@dataclass(frozen=True, slots=True)
class Token:
    """An access token of the provider, with its life in seconds."""

    text: str
    life_seconds: float


class AccessTokens:
    """Keeps the current token and the request for the next token."""

    def __init__(self, ask: Callable[[], Awaitable[Token]], wait_seconds_max: float) -> None:
        self._ask = ask
        self._wait_seconds_max = wait_seconds_max
        self._token: Token | None = None
        self._ends_at = 0.0  # by time.monotonic
        self._asking: asyncio.Task[Token] | None = None

    async def get(self) -> str:
        """A valid token.  Refuses `ProviderUnreachable` if the provider gives no token, since the call that needs the token is
        then not sent.
        """
        left = self._ends_at - time.monotonic()
        if self._token is not None and left > SHARE_UNUSED * self._token.life_seconds:
            if left < SHARE_BEFORE_END * self._token.life_seconds:
                self._begin()
            return self._token.text
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                return (await asyncio.shield(self._begin())).text
        except (OutcomeUnknown, ProviderRefused, ProviderUnreachable, TimeoutError) as error:
            # Also if the outcome of the token request is unknown, since a token moves no money.
            raise ProviderUnreachable(f"no access token: {error!r}"[:200]) from None

    def drop(self, text: str) -> None:
        """Drop the current token if it is this text, which the provider rejected; a newer token is kept."""
        if self._token is not None and self._token.text == text:
            self._token = None

    async def close(self) -> None:
        """Cancel the token request under way, if there is one."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    def _begin(self) -> asyncio.Task[Token]:
        """The token request under way; starts a request if none is under way."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
            # The exception is retrieved here, since there may be no caller and asyncio would log it as never retrieved.
            # The next caller starts another request.
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._asking

    async def _renew(self) -> Token:
        token = await self._ask()
        self._token, self._ends_at = token, time.monotonic() + token.life_seconds
        return token
