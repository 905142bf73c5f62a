"""What an audit looks at: everything, account by account, or what was written since a point."""

from collections.abc import Sequence
from itertools import pairwise
from uuid import UUID

from meterai.apps.audit_history import IS_YOUNG, Mark
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
# Every row that was written since, whatever time it says of itself, and what is open.  Then what
# hangs together: documents of an order, the order of a document, the lot a stamp came from.
_WRITTEN = {
    "entries": "subject",
    "orders": "order_id",
    "payment_attempts": "subject",
    "stampings": "stamping_id",
    "stamps": "stamping_id",
    "stamp_lots": "lot_id",
    "holds": "hold_id",
    "deltas": "stamping_id",
    "refunds": "order_id",
    "chargebacks": "subject",
    # What is looked at for a whole account.
    "accounts": "account_id",
    "api_keys": "account_id",
    "audit_events": "account_id",
    "balances": "account_id",
    "documents": "account_id",
    "email_directory": "account_id",
    "mails": "account_id",
    "sessions": "account_id",
    "stamping_keys": "account_id",
}
_IS_YOUNG = IS_YOUNG.format(row="t")
_YOUNG = " UNION ".join(
    f"SELECT account_id, {subject} AS subject FROM {table} t WHERE {_IS_YOUNG}"  # noqa: S608
    for table, subject in _WRITTEN.items()
)
_TOUCHED = f"""
WITH moved AS (
    {_YOUNG}
    UNION SELECT account_id, subject FROM legs t JOIN entries USING (account_id, entry_id)
    WHERE {_IS_YOUNG}
    UNION SELECT account_id, subject FROM captures t
    JOIN payment_attempts USING (account_id, attempt_id) WHERE {_IS_YOUNG}
    UNION SELECT '00000000-0000-0000-0000-000000000000', item_id FROM suspense_items t
    WHERE {_IS_YOUNG}
    UNION SELECT account_id, order_id FROM orders WHERE state = 'placed'
    UNION SELECT account_id, order_id FROM orders WHERE state = 'paid'
    UNION SELECT account_id, stamping_id FROM stampings WHERE state = 'reserved'
    UNION SELECT account_id, order_id FROM refunds WHERE state IN ('requested', 'sent', 'refused')
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
"""  # noqa: S608 - of constants


async def of_everything(database: Database) -> Sequence[Scope]:
    """All accounts, in ranges that one statement can look at."""
    async with database.transaction() as tx:
        rows = await patiently(tx, _CUTS, ORDERS_PER_RANGE)
    cuts: list[UUID | None] = [None, *(row["account_id"] for row in rows), None]
    if len(cuts) == 2:
        return [EVERYTHING]
    return [Accounts(low, high) for low, high in pairwise(cuts)]


async def of_what_moved(database: Database, since: Mark) -> Sequence[Scope]:
    """What was written since a mark, and what is open, in parts."""
    async with database.transaction() as tx:
        marks = [since.xid] * _TOUCHED.count("%s")
        rows = await patiently(tx, _TOUCHED, *marks, is_broad=False)
    touched = [(row["account_id"], row["subject"]) for row in rows]
    starts = range(0, len(touched), SUBJECTS_PER_PART)
    return [Touched.of(touched[start : start + SUBJECTS_PER_PART]) for start in starts]
