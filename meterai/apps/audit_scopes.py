"""What an audit looks at: everything, account by account, or what was touched since a moment."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from meterai.plumbing.database import Database
from meterai.plumbing.invariants import EVERYTHING, Accounts, Scope, Touched, patiently

ORDERS_PER_RANGE = 20_000  # so that a statement takes a second, and its sorts fit in memory
SUBJECTS_PER_PART = 5_000

# Where to cut: accounts between which there are so many orders.  An account is never cut.
_CUTS = """
SELECT DISTINCT account_id FROM (
    SELECT account_id, row_number() OVER (ORDER BY account_id) AS place FROM orders) AS placed
WHERE mod(place, %s) = 0 ORDER BY account_id
"""
# Whatever happened left a time in one of these; what is open is looked at every time.  Then what
# hangs together: documents of an order, the order of a document, the lot a stamp came from.
_TOUCHED = """
WITH moved AS (
    SELECT account_id, subject FROM entries WHERE posted_at >= %(since)s
    UNION SELECT account_id, order_id FROM orders
    WHERE placed_at >= %(since)s OR closed_at >= %(since)s
    UNION SELECT account_id, order_id FROM orders WHERE state = 'placed'
    UNION SELECT account_id, order_id FROM orders WHERE state = 'paid'
    UNION SELECT account_id, subject FROM payment_attempts WHERE opened_at >= %(since)s
    UNION SELECT account_id, stamping_id FROM stampings
    WHERE requested_at >= %(since)s OR delivered_at >= %(since)s
    UNION SELECT account_id, stamping_id FROM stampings WHERE state = 'reserved'
    UNION SELECT account_id, hold_id FROM holds
    WHERE held_at >= %(since)s OR resolved_at >= %(since)s
    UNION SELECT account_id, order_id FROM refunds WHERE state IN ('requested', 'sent', 'refused')
    UNION SELECT account_id, account_id FROM audit_events WHERE happened_at >= %(since)s
    UNION SELECT account_id, account_id FROM sessions WHERE created_at >= %(since)s
    UNION SELECT account_id, account_id FROM api_keys WHERE created_at >= %(since)s
), documents AS (
    SELECT account_id, subject FROM moved
    UNION SELECT s.account_id, s.order_id FROM stampings s JOIN moved m
        ON m.account_id = s.account_id AND m.subject = s.stamping_id
    WHERE s.order_id IS NOT NULL
    UNION SELECT s.account_id, s.stamping_id FROM stampings s JOIN moved m
        ON m.account_id = s.account_id AND m.subject = s.order_id
)
SELECT account_id, subject FROM documents
UNION SELECT t.account_id, t.lot_id FROM stamps t JOIN documents d
    ON d.account_id = t.account_id AND d.subject = t.stamping_id
ORDER BY 1, 2
"""


async def read(database: Database, query: str, **names: object) -> list[dict[str, Any]]:
    """The answer of a statement that may take long."""
    texts = query.split("%(since)s")
    async with database.transaction() as tx:
        since = [names["since"]] * (len(texts) - 1)
        return await patiently(tx, "%s".join(texts), *since, is_broad=False)


async def of_everything(database: Database) -> Sequence[Scope]:
    """All accounts, in ranges that one statement can look at."""
    async with database.transaction() as tx:
        rows = await patiently(tx, _CUTS, ORDERS_PER_RANGE)
    cuts: list[UUID | None] = [None, *(row["account_id"] for row in rows), None]
    if len(cuts) == 2:
        return [EVERYTHING]
    return [Accounts(low, high) for low, high in pairwise(cuts)]


async def of_what_moved(database: Database, since: datetime) -> Sequence[Scope]:
    """What was touched since a moment, and what is open, in parts."""
    rows = await read(database, _TOUCHED, since=since)
    touched = [(row["account_id"], row["subject"]) for row in rows]
    starts = range(0, len(touched), SUBJECTS_PER_PART)
    return [Touched.of(touched[start : start + SUBJECTS_PER_PART]) for start in starts]
