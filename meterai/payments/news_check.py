"""Comparison of notifications with the books, in both directions, while the bodies of the notifications are stored.

From notification to books: a notification that captured a payment is parsed again; the stored fields must be the same, and the
books must have that payment with that sum.  From books to notification: each payment captured by a notification, and each item
in suspense that a notification caused, must have a stored notification.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from meterai.payments.installed import Rails
from meterai.payments.invariants import LET_GO
from meterai.payments.model import Notification, RailNotConfigured, parse_reference
from meterai.plumbing.db.database import Database, Row
from meterai.plumbing.db.invariants import SHOWN_MAX, Invariant, InvariantFinding, patiently
from meterai.plumbing.db.marks import IS_YOUNG, Mark

NEWS = Invariant(
    "news_of_the_bank_is_what_was_done",
    "Every notification that captured a payment names that payment and its amount; every payment "
    "or item in suspense that came by a notification has that notification.",
    "",
)
READ_AT_ONCE = 2_000
_NEWS = f"""
SELECT provider, sent_on, external_id, body, reading, received_at FROM notification_inbox t
WHERE outcome = 'captured' AND body <> '' AND (provider, sent_on, external_id) > (%s, %s, %s)
    AND (%s::text IS NULL OR {IS_YOUNG.format(row="t")})
ORDER BY provider, sent_on, external_id LIMIT {READ_AT_ONCE}
"""  # noqa: S608 - of constants
# Notifications of payments whose row was written again since the mark, for instance by `payment_confirm`; the notifications
# are as old as the payments.
_NEWS_OF = """
SELECT provider, sent_on, external_id, body, reading, received_at FROM notification_inbox
WHERE outcome = 'captured' AND body <> '' AND sent_on >= %s::date - 1 AND reading->>'number' = ANY (%s)
"""
_CAPTURES = """
SELECT account_id, attempt_id, payment, amount FROM captures WHERE payment = ANY (%s)
"""
# Only payments of this time: the body of the notification of an older payment may be deleted.
_LEARNED = f"""
SELECT account_id, attempt_id, payment, amount FROM captures t
WHERE learned_by = 'notification' AND captured_at >= %s AND captured_at > now() - {LET_GO}
    AND (%s::text IS NULL OR {IS_YOUNG.format(row="t")})
"""  # noqa: S608 - of constants
# Without items for a repeated id with another body: the second body is stored in suspense only.
_SUSPENDED = f"""
SELECT item_id, reason, payment, opened_at FROM suspense_items t
WHERE source = 'notification' AND reason <> 'id_conflict' AND told <> ''
    AND (%s::text IS NULL OR {IS_YOUNG.format(row="t")})
    AND NOT EXISTS (SELECT 1 FROM notification_inbox i WHERE i.body_sha256 = t.told_sha256)
"""  # noqa: S608 - of constants


class NewsComparison:
    """One comparison of notifications with the books: of all rows, or with `since` (a moment of an earlier audit) only of rows
    written since then.
    """

    def __init__(
        self, database: Database, rails: Rails, since: Mark | None, begins: datetime
    ) -> None:
        self._database = database
        self._rails = rails
        self._xid = since.xid if since else None
        self._begins = begins
        self._told: set[str] = set()
        self._wrong: list[Row] = []

    async def check(self) -> InvariantFinding:
        """Compare all notifications and payments; return the number of differences, with the first of them as examples."""
        # Payments are read before notifications, so that the notification of each payment read here is found.
        learned = await self._read(_LEARNED, self._begins, self._xid, self._xid or "3")
        after: tuple[Any, ...] = ("", date.min, "")
        while rows := await self._read(_NEWS, *after, self._xid, self._xid or "3"):
            await self._compare(rows)
            after = (rows[-1]["provider"], rows[-1]["sent_on"], rows[-1]["external_id"])
        written_again = [one["payment"] for one in learned if one["payment"] not in self._told]
        if self._xid and written_again:
            await self._compare(await self._read(_NEWS_OF, self._begins, written_again))
        self._wrong += [
            row | {"is": "told by nobody"} for row in learned if row["payment"] not in self._told
        ]
        suspended = await self._read(_SUSPENDED, self._xid, self._xid or "3")
        self._wrong += [row | {"is": "told by nobody"} for row in suspended]
        return InvariantFinding(NEWS, len(self._wrong), self._wrong[:SHOWN_MAX])

    async def _read(self, query: str, *parameters: object) -> list[Row]:
        async with self._database.transaction() as tx:
            return await patiently(tx, query, *parameters, is_broad=False)

    async def _compare(self, rows: list[Row]) -> None:
        read = [(row, one) for row in rows if (one := self._reread(row)) is not None]
        numbers = [one.number for _, one in read if one.number]
        booked: dict[str, list[Row]] = {}
        for capture in await self._read(_CAPTURES, numbers):
            booked.setdefault(capture["payment"], []).append(capture)
        for row, one in read:
            self._told.add(one.number or "")
            if _is_read_otherwise(row["reading"] or {}, msgspec.to_builtins(one)):
                self._wrong.append(_told(row) | {"payment": one.number, "is": "read otherwise"})
            amount = one.amount and one.amount.value
            attempt = _attempt(one.reference)
            if not any(
                capture["amount"] == amount
                and attempt in (None, (capture["account_id"], capture["attempt_id"]))
                for capture in booked.get(one.number or "", [])
            ):
                self._wrong.append(_told(row) | {"payment": one.number, "is": "not in our books"})

    def _reread(self, row: Row) -> Notification | None:
        """Parse a stored notification by the rail that it came from.  If the installation no longer has that rail, record a
        difference and return None.
        """
        try:
            return self._rails.reread(row["provider"], bytes(row["body"]))
        except RailNotConfigured as refusal:
            self._wrong.append(_told(row) | {"is": str(refusal)})
            return None


def _is_read_otherwise(kept: dict[str, Any], now: dict[str, Any]) -> bool:
    """True if a stored field differs from the field parsed now; fields that were not stored are ignored."""
    return any(now.get(name) != value for name, value in kept.items())


def _told(row: Row) -> Row:
    return {name: row[name] for name in ("external_id", "sent_on", "received_at")}


def _attempt(reference: str | None) -> tuple[UUID, UUID] | None:
    try:
        return parse_reference(reference) if reference else None
    except ValueError:
        return None
