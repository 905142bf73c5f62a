"""Rules by which the audit checks the columns of the tables of stampings."""

from meterai.plumbing.db.audited import (
    SHOWN,
    WORK,
    Audited,
    ClockColumn,
    DueWork,
    Fact,
    SubjectColumn,
    fact,
)

AUDITED = Audited(
    clocks=(
        ClockColumn("stampings", "due_at", "now() + interval '8 days'"),
        ClockColumn("stampings", "leased_until", "now() + interval '1 hour'"),
    ),
    dues=(
        DueWork("stampings", "t.due_at", "t.state = 'reserved'"),
        DueWork("stampings", "t.leased_until", "t.state = 'reserved'"),
    ),
    facts=(
        fact(
            "stampings",
            "requested_at",
            "stamping_id order_id position idempotency_key request_hash sha256_original placements"
            " quantity is_repaired",
        ),
        fact("stampings", "delivered_at", "stamping_id sha256_stamped", name="stampings_delivered"),
        fact(
            "stamping_facts",
            "told_at",
            "stamping_id type number dated value party_name identity_kind identity_number",
            years=10,
        ),
        fact("stamping_keys", "used_at", "idempotency_key request_hash stampings"),
        Fact(
            "deltas",
            "deltas",
            "s.delivered_at",
            ("account_id", "stamping_id", "sha256"),
            join="JOIN {stampings?} s ON s.account_id = t.account_id"
            " AND s.stamping_id = t.stamping_id AND s.delivered_at IS NOT NULL",
        ),
    ),
    shown={
        "facts_demanded": {
            "Time from which it applies; its presence is checked.": "demanded_at",
        },
        "stampings": {
            WORK: "tries",
            SHOWN: "refused",
            (
                "Whether it has its own mail; a request for many documents gets one mail for all of "
                "them."
            ): "is_quiet",
        },
        "stamping_labels": SHOWN,
    },
    subjects={
        "stampings": SubjectColumn("stamping_id"),
        "stamping_facts": SubjectColumn("stamping_id"),
        "deltas": SubjectColumn("stamping_id"),
    },
    of_accounts=("stamping_keys",),
    unfinished=("SELECT account_id, stamping_id FROM stampings WHERE state = 'reserved'",),
    related=(
        "SELECT s.account_id, s.order_id FROM stampings s JOIN {found} m"
        " ON m.account_id = s.account_id AND m.subject = s.stamping_id WHERE s.order_id IS NOT NULL"
        " UNION SELECT s.account_id, s.stamping_id FROM stampings s JOIN {found} m"
        " ON m.account_id = s.account_id AND m.subject = s.order_id",
    ),
)
