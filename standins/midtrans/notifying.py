"""Sending notifications to the merchant's URL.

A notification is delivered when the merchant answers 200; a redirect is no delivery. Else it is sent again after 1, 2, 4, 8
... seconds (Midtrans does not publish its schedule), always with the same body. Waiting notifications are stored, so they
are sent after a restart.
"""

import asyncio
from collections.abc import Callable

import aiohttp

from standins import clock
from standins.midtrans.model import News
from standins.midtrans.store import Store

TRIES_MAX = 20
WAIT_SECONDS_MAX = 30.0  # longest pause between two tries
ANSWER_SECONDS_MAX = 15.0  # time-out of the merchant's answer
DELIVERIES_MAX = 32  # at the same time


class NewsSender:
    """Delivers notifications to one merchant.  `wake` is called when a delivery ended."""

    def __init__(self, store: Store, target: str, wake: Callable[[], None]) -> None:
        self._store = store
        self._target = target
        self._wake = wake
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def send_due(self) -> float | None:
        """Start due deliveries. Return the seconds until the next, None if the end of a delivery comes first."""
        for news in self._store.waiting_news(DELIVERIES_MAX + 1):
            if news.number in self._under_way:
                continue
            if len(self._under_way) == DELIVERIES_MAX:
                return None
            wait = news.due_at - clock.now_ms()
            if wait > 0:
                return wait / 1000
            self._under_way[news.number] = asyncio.create_task(self._deliver(news))
        return None

    async def close(self) -> None:
        """Stop at once. Deliveries under way are tried again after the next start."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, news: News) -> None:
        try:
            answers = await asyncio.gather(*(self._post(news.body) for _ in range(news.copies)))
            tries = news.attempts + 1
            state = "waiting" if tries < TRIES_MAX else "given up"
            if any(answers):
                state = "delivered"
            pause = min(2.0 ** (tries - 1), WAIT_SECONDS_MAX)
            self._store.record_try(news.number, state, clock.now_ms() + round(pause * 1000))
        finally:
            self._under_way.pop(news.number)
            self._wake()

    async def _post(self, body: bytes) -> bool:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
            self._session = aiohttp.ClientSession(timeout=timeout)
        headers = {"Content-Type": "application/json", "User-Agent": "Veritrans"}
        try:
            async with self._session.post(
                self._target, data=body, headers=headers, allow_redirects=False
            ) as response:
                await response.read()
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
