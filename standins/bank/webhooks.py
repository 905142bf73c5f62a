"""The webhook sender: posts notifications (52) and payments of virtual accounts (25) to the merchant.

A message is delivered when the merchant answers 200 and success. Else it is tried again after 1, 2, 4, 8 ... seconds, at
most `WAIT_SECONDS_MAX` apart and `TRIES_MAX` times, with a new signature: a notification with the same body and
X-EXTERNAL-ID, a payment with flagAdvise Y and another X-EXTERNAL-ID. A payment that the merchant refuses is not repeated.
Waiting messages are stored, so they are sent after a restart.
"""

import asyncio
import json
import logging
from collections.abc import Callable

from standins import clock
from standins.bank.answers import to_json
from standins.bank.merchant_client import MerchantClient, Reply
from standins.bank.model import Notification, NotificationState, NotifiedService
from standins.bank.store import Store

TRIES_MAX = 20
FIRST_PAUSE_SECONDS = 1.0  # pause after the first try; each further pause is twice as long
WAIT_SECONDS_MAX = 30.0  # longest pause between two tries
CODE_CHARACTERS = 7  # of a responseCode
DELIVERIES_MAX = 32  # at the same time: what waited for long does not reach the merchant at once
# The merchant knows this payment already, if by another body.
_TAKEN_BEFORE = frozenset({"4042518"})

log = logging.getLogger(__name__)


class WebhookSender:
    """Delivers messages to one merchant. `refused` is called with a payment that the merchant refused, `wake` when a
    delivery ended.
    """

    def __init__(
        self,
        store: Store,
        merchant: MerchantClient,
        refused: Callable[[Notification], None],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._merchant = merchant
        self._refused = refused
        self._wake = wake
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def send_due(self) -> float | None:
        """Start due deliveries. Return the seconds until the next, None if the end of a delivery comes first."""
        free = DELIVERIES_MAX - len(self._under_way)
        # Messages under way are still `waiting` in the store. Besides them this limit includes one message more than can be
        # started now; its `due_at` tells how long to sleep.
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
        """Stop at once. Deliveries under way are tried again after the next start."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(self, notification: Notification) -> None:
        try:
            replies = await asyncio.gather(
                *(self._post(notification) for _ in range(notification.copies))
            )
            self._record(notification, replies)
        finally:
            self._under_way.pop(notification.external_id)
            self._wake()

    def _record(self, notification: Notification, replies: list[Reply]) -> None:
        tries = notification.attempts + 1
        if any(_is_taken(notification.service, reply) for reply in replies):
            state = NotificationState.DELIVERED
        elif notification.service is NotifiedService.PAYMENT and any(map(_is_refusal, replies)):
            state = NotificationState.REFUSED
            self._refused(notification)
        else:
            state = NotificationState.WAITING if tries < TRIES_MAX else NotificationState.GIVEN_UP
            log.info("notification %s, try %d: %s", notification.external_id, tries, state)
        self._store.record_try(
            notification.external_id, state, clock.now_ms() + round(pause_seconds(tries) * 1000)
        )

    async def _post(self, notification: Notification) -> Reply:
        endpoints, body, number = (
            self._merchant.endpoints,
            notification.body,
            notification.external_id,
        )
        if notification.service is NotifiedService.NOTIFY:
            return await self._merchant.call(endpoints.notify, body, number)
        if notification.attempts:
            body = _advice(body)
        return await self._merchant.call(
            endpoints.payment, body, f"{number}{notification.attempts:02d}"
        )


def _advice(body: bytes) -> bytes:
    try:
        return to_json(json.loads(body) | {"flagAdvise": "Y"})
    except ValueError:  # truncated by a fault
        return body


def _is_taken(service: NotifiedService, reply: Reply) -> bool:
    return reply.is_success(service) or reply.code in _TAKEN_BEFORE


def _is_refusal(reply: Reply) -> bool:
    """True if the merchant refused the payment finally: not by a temporary error, nor for the identity of the caller."""
    return reply.status in (400, 403, 404, 405) and len(reply.code) == CODE_CHARACTERS


def pause_seconds(tries: int) -> float:
    """Return the seconds to wait after so many tries."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (tries - 1), WAIT_SECONDS_MAX)
