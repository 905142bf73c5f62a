"""What is written once, table by table: the facts that every point of the audit's chain hashes.

A fact is some columns of a row that never change from a moment on, which the row itself names.  What
of a row may change is in `audit_columns`, where each column says which invariant looks at it.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256


@dataclass(frozen=True)
class Fact:
    """Columns of `table` (as `t`) that stay what they were at `at` (SQL), of the rows that `only`
    (SQL) names.  A table without a time of its own is joined to one that has it."""

    name: str
    table: str
    at: str
    columns: tuple[str, ...]
    only: str = "true"
    join: str = ""
    is_global: bool = False

    @cached_property
    def owner(self) -> str:
        """The account of a row (SQL); the nil account where it is of none."""
        return "'00000000-0000-0000-0000-000000000000'::uuid" if self.is_global else "t.account_id"

    @cached_property
    def shape(self) -> str:
        """What of which rows is hashed, in short: a point of another shape says nothing of it."""
        told = repr((self.table, self.at, self.columns, self.only, self.join))
        return sha256(told.encode()).hexdigest()[:16]

    @cached_property
    def content(self) -> str:
        """The columns as one text (SQL): a record, so that no two rows read alike."""
        return f"ROW({', '.join(f't.{column}' for column in self.columns)})::text"


def _fact(table: str, at: str, columns: str, **more: str) -> Fact:
    """A fact of an account; its time is a column of its own."""
    kept = ("account_id", *columns.split(), at)
    only = more.get("only", f"t.{at} IS NOT NULL")
    return Fact(more.get("name", table), table, f"t.{at}", kept, only)


def _global(table: str, at: str, columns: str, **more: str) -> Fact:
    return Fact(
        more.get("name", table),
        table,
        f"t.{at}",
        (*columns.split(), at),
        more.get("only", f"t.{at} IS NOT NULL"),
        is_global=True,
    )


FACTS: tuple[Fact, ...] = (
    _fact("entries", "posted_at", "entry_id reason subject"),
    Fact(
        "legs",
        "legs",
        "e.posted_at",
        ("account_id", "entry_id", "book", "unit", "debit", "credit"),
        join="JOIN {entries?} e ON e.account_id = t.account_id AND e.entry_id = t.entry_id",
    ),
    _fact("audit_events", "happened_at", "event_id actor action subject facts"),
    _fact("accounts", "created_at", ""),
    _fact(
        "orders",
        "placed_at",
        "order_id idempotency_key request_hash kind quantity unit_price service_fee total"
        " due_seconds lapses_at",
    ),
    _fact("orders", "paid_at", "order_id paid_attempt paid_payment due_at", name="orders_paid"),
    _fact("payment_attempts", "opened_at", "attempt_id subject reference amount expires_at"),
    _fact("captures", "captured_at", "attempt_id payment amount learned_by"),
    _fact("chargebacks", "first_told_at", "attempt_id payment subject"),
    _fact(
        "refunds",
        "requested_at",
        "refund_id cause_key cause order_id attempt_id payment amount stamps refund_no due_at",
    ),
    _fact("refunds", "settled_at", "refund_id provider_refund_no", name="refunds_settled"),
    _fact("stamp_lots", "issued_at", "lot_id book unit_price service_fee issued"),
    _fact("stamps", "reserved_at", "serial stamping_id lot_id position"),
    _fact("stamps", "affixed_at", "serial", name="stamps_affixed"),
    _fact("stamps", "voided_at", "serial", name="stamps_void"),
    _fact("holds", "held_at", "hold_id book amount subject"),
    _fact("holds", "resolved_at", "hold_id state", name="holds_resolved"),
    _fact("documents", "received_at", "sha256 bytes pages name_seal"),
    _fact(
        "stampings",
        "requested_at",
        "stamping_id order_id position idempotency_key request_hash sha256_original placements"
        " quantity is_repaired",
    ),
    _fact("stampings", "delivered_at", "stamping_id sha256_stamped", name="stampings_delivered"),
    _fact("stamping_keys", "used_at", "idempotency_key request_hash stampings"),
    Fact(
        "deltas",
        "deltas",
        "s.delivered_at",
        ("account_id", "stamping_id", "sha256"),
        join="JOIN {stampings?} s ON s.account_id = t.account_id"
        " AND s.stamping_id = t.stamping_id AND s.delivered_at IS NOT NULL",
    ),
    # A mail that was given up may be queued again, with another time; one that was sent may not.
    _fact(
        "mails",
        "sent_at",
        "mail_id cause_key template language queued_at",
        only="t.sent_at IS NOT NULL AND t.template <> 'sign_in_code'",
    ),
    _global("notification_inbox", "received_at", "provider external_id sent_on body_sha256"),
    _global(
        "suspense_items",
        "opened_at",
        "item_id item_key source reason reference payment amount booked told_sha256",
    ),
    _global(
        "suspense_items",
        "resolved_at",
        "item_id state resolution resolved_by note",
        name="suspense_items_resolved",
    ),
    _global("sale_terms", "since", "unit_price service_fee"),
    _global("applied_migrations", "applied_at", "name sha256"),
)
