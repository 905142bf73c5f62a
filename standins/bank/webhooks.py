"""The webhook sender: posts notifications (service 52) to the merchant, signed by the bank.

A notification is delivered when the merchant answers 200 with responseCode 2005200.  Else it is
tried again after 1, 2, 4, 8 ... seconds, at most `WAIT_SECONDS_MAX` apart and `TRIES_MAX` times,
always with the same body and X-EXTERNAL-ID, signed anew.  What waits is in the store, so a restart
sends what the stopped process did not.
"""

import asyncio
import json
import logging
from collections.abc import Callable

import aiohttp
from yarl import URL

from standins import clock
from standins.bank.model import Notification, NotificationState
from standins.bank.signing import PrivateKey, asymmetric_text
from standins.bank.store import Store
from standins.faults import Faults

TRIES_MAX = 20
FIRST_PAUSE_SECONDS = 1.0  # after the first try; every next pause is twice as long
WAIT_SECONDS_MAX = 30.0  # longest pause between two tries
ANSWER_SECONDS_MAX = 10.0  # how long the merchant's answer is waited for
DELIVERIES_MAX = 32  # at the same time: what waited for long does not reach the merchant at once
CHANNEL_ID = "95221"

log = logging.getLogger(__name__)


class WebhookSender:
    """Delivers to one merchant.  `wake` is called when a delivery ended."""

    def __init__(
        self,
        store: Store,
        key: PrivateKey,
        target: str,
        partner_id: str,
        faults: Faults,
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._faults = faults
        self._key = key
        # As given: the path that is signed must be the path that is sent.
        self._target = URL(target, encoded=True)
        self._partner_id = partner_id
        self._wake = wake
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def send_due(self) -> float | None:
        """Start due deliveries; seconds until the next, None if the end of one comes first."""
        free = DELIVERIES_MAX - len(self._under_way)
        # Those being delivered are still `waiting` in the store; beside them, these rows hold one
        # more than can be started now, whose `due_at` says how long to sleep.
        for notification in self._store.waiting_notifications(DELIVERIES_MAX + 1):
            if notification.external_id in self._under_way:
                continue
            if free == 0:
                return None
            wait = notification.due_at - clock.now_ms()
            if wait > 0:
                return wait / 1000
            free -= 1
            self._under_way[notification.external_id] = asyncio.create_task(
                self._deliver(notification)
            )
        return None

    async def close(self) -> None:
        """Stop at once.  What was under way is tried again after the next start."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _deliver(self, notification: Notification) -> None:
        try:
            answers = await asyncio.gather(
                *(self._post(notification) for _ in range(notification.copies))
            )
            self._record(notification, is_delivered=any(answers))
        finally:
            self._under_way.pop(notification.external_id)
            self._wake()

    def _record(self, notification: Notification, *, is_delivered: bool) -> None:
        tries = notification.attempts + 1
        if is_delivered:
            state = NotificationState.DELIVERED
        else:
            state = NotificationState.WAITING if tries < TRIES_MAX else NotificationState.GIVEN_UP
            log.info("notification %s, try %d: %s", notification.external_id, tries, state)
        self._store.record_try(
            notification.external_id, state, clock.now_ms() + round(pause_seconds(tries) * 1000)
        )

    async def _post(self, notification: Notification) -> bool:
        ahead = round(self._faults.seconds("clock_ahead_seconds") * 1000)
        timestamp = clock.snap_time(clock.now_ms() + ahead)
        text = asymmetric_text("POST", self._target.raw_path_qs, notification.body, timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": self._key.sign(text),
            "X-PARTNER-ID": self._partner_id,
            "X-EXTERNAL-ID": notification.external_id,
            "CHANNEL-ID": CHANNEL_ID,
        }
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS_MAX)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.post(
                self._target, data=notification.body, headers=headers, allow_redirects=False
            ) as response:
                return response.status == 200 and _is_success(await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return False


def pause_seconds(tries: int) -> float:
    """How long to wait after so many tries."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1), WAIT_SECONDS_MAX)


def _is_success(answer: bytes) -> bool:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return False
    # Some partners write the code as a number.
    return isinstance(found, dict) and str(found.get("responseCode")) == "2005200"
