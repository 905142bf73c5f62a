"""Delivery of messages: two worker pools, one for endpoints that answer quickly and one for slow ones.

If a process dies after an attempt, but before it recorded the attempt, the lease of the message ends, and the message is sent
again under the same id.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from meterai.kit.clock import Clock
from meterai.kit.ids import show
from meterai.kit.priority import Priority
from meterai.plumbing.db.database import Database
from meterai.plumbing.work.watch import Piece
from meterai.plumbing.work.worker_pool import PoolTerms, WorkerPool, clock
from meterai.webhooks import metrics, store
from meterai.webhooks.adapters.sending import Sender
from meterai.webhooks.gathering import Batcher
from meterai.webhooks.model import (
    ASIDE_UNDER_WAY_MAX,
    MESSAGE_KIND,
    SLOW_SECONDS,
    UNDER_WAY_MAX,
    Attempted,
    DeliveryLease,
    DueMessage,
    Failure,
    WebhookAttempt,
    pause_after,
    retry_after,
)
from meterai.webhooks.signing import Safe, headers

SLOTS = 200  # attempts under way; each is a connection to some receiver
ASIDE_SLOTS = 100  # in addition to `SLOTS`: attempts under way to slow endpoints
BATCH = 200  # messages that one query for due messages returns
ASIDE_POLL_SECONDS = 0.5
# Claims or attempts written by one statement, which then takes some milliseconds.
WRITTEN_AT_ONCE = 50
_FINE = 1_000_000  # number of possible values of the random jitter of pauses

_log = structlog.get_logger()


class WebhookDelivery:
    """Sends due messages. In its worker pools, the number of slots is limited for each endpoint; the pools of
    other rooms limit it for each account.
    """

    def __init__(self, database: Database, sender: Sender, safe: Safe, clock: Clock) -> None:
        self._database = database
        self._sender = sender
        self._safe = safe
        self._clock = clock
        self._claims = Batcher(self._claim, WRITTEN_AT_ONCE)
        self._attempts = Batcher(self._attempted, WRITTEN_AT_ONCE)

    def worker_pool(self) -> WorkerPool:
        """Return the worker pool of endpoints that answer quickly."""
        terms = PoolTerms(Priority.NEW, due=store.DUE, of_one=UNDER_WAY_MAX)
        return WorkerPool(
            "webhooks",
            self._find_due,
            partial(self._send, is_aside=False),
            partial(self._database.once, clock),
            slots=SLOTS,
            batch=BATCH,
            terms=terms,
        )

    def aside(self) -> WorkerPool:
        """Return the separate worker pool of slow endpoints, which keeps slow endpoints from delaying fast
        endpoints.
        """
        terms = PoolTerms(Priority.NEW, ASIDE_POLL_SECONDS, of_one=ASIDE_UNDER_WAY_MAX)
        return WorkerPool(
            "webhooks_aside",
            self._find_due_aside,
            partial(self._send, is_aside=True),
            partial(self._database.once, clock),
            slots=ASIDE_SLOTS,
            batch=BATCH,
            terms=terms,
        )

    async def measure(self) -> int:
        """Periodic task: set the metrics of due messages and of slow and disabled endpoints.  Returns 0, since it processes no
        rows.
        """
        due, aside, disabled = await self._database.once(store.standing)
        metrics.DUE.set(due)
        metrics.ASIDE.set(aside)
        metrics.DISABLED.set(disabled)
        return 0

    async def _find_due(
        self, most: int, since: datetime, without: Sequence[UUID]
    ) -> Sequence[Piece]:
        return await self._database.once(store.due, since, without, most)

    async def _find_due_aside(
        self, most: int, _: datetime, without: Sequence[UUID]
    ) -> Sequence[Piece]:
        return await self._database.once(store.due_to_slow, without, most)

    async def _claim(self, wanted: Sequence[DeliveryLease]) -> Sequence[DueMessage | None]:
        return await self._database.once(store.claim, wanted)

    async def _attempted(self, made: Sequence[Attempted]) -> Sequence[str | None]:
        return await self._database.once(store.attempted, made)

    async def _send(self, piece: Piece, *, is_aside: bool) -> None:
        account, began = UUID(str(piece.what)), self._clock.now()
        found = await self._claims.ask(DeliveryLease(account, piece.id, began, is_aside))
        if found is None:
            return
        message, body = show(MESSAGE_KIND, found.message), found.body.encode()
        outcome = await self._sender.send(
            found.url, headers(self._signers(found), message, began, body), body
        )
        wait = None
        if outcome.failure is not None:
            after = retry_after(outcome.retry_after, self._clock.now())
            wait = pause_after(found.tries, secrets.randbelow(_FINE) / _FINE, after)
        metrics.ATTEMPTS.labels(outcome=outcome.failure or "delivered").inc()
        metrics.SECONDS.observe(outcome.seconds)
        made = WebhookAttempt(
            0, began, round(outcome.seconds * 1000), outcome.status, outcome.answer, outcome.failure
        )
        is_slow = outcome.seconds >= SLOW_SECONDS or outcome.failure is Failure.TIMEOUT
        state = await self._attempts.ask(Attempted(found, made, wait, is_slow))
        if outcome.failure is not None:
            _log.info(
                "webhook_not_delivered",
                message=message,
                failure=str(outcome.failure),
                status=outcome.status,
                tries=found.tries,
                endpoint_is=state,
            )

    def _signers(self, of: DueMessage) -> list[bytes]:
        sealed = [of.secret, *([of.secret_before] if of.secret_before else [])]
        return [self._safe.opened(one, of.account, of.endpoint) for one in sealed]
