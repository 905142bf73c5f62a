"""Invariants of items in suspense and their money."""

from meterai.plumbing.db.invariants import AHEAD, Invariant, Posting

_NOBODY = "'00000000-0000-0000-0000-000000000000'"

POSTINGS = (
    Posting(
        ("money_suspended",),
        """
        SELECT i.account_id, 'suspended:' || i.item_id, 'money_suspended', i.item_id, i.opened_at,
               ARRAY['bank_clearing', 'suspense'], ARRAY[-i.booked, i.booked]
        FROM {suspense_items} i WHERE i.booked > 0
        """,
    ),
    Posting(
        (
            "suspense_explained",
            "suspense_returned",
            "suspense_applied",
            "suspense_matched",
            "suspense_written_off",
        ),
        """
        SELECT i.account_id, 'unsuspended:' || i.item_id, 'suspense_' || i.resolution, i.item_id, i.resolved_at,
               ARRAY['suspense', CASE i.resolution WHEN 'written_off' THEN 'written_off' ELSE 'bank_clearing' END],
               ARRAY[-i.booked, i.booked]
        FROM {suspense_items} i WHERE i.booked > 0 AND i.state = 'resolved'
        """,
    ),
    Posting(
        ("break_written_off", "break_fee", "break_matched"),
        """
        SELECT i.account_id, 'unsuspended:' || i.item_id, 'break_' || i.resolution, i.item_id, i.resolved_at,
               ARRAY[CASE WHEN starts_with(i.item_key, 'record:float:') THEN 'refund_float' ELSE 'bank_clearing' END,
                   CASE WHEN i.resolution = 'written_off' THEN 'written_off' WHEN i.resolution = 'matched' THEN 'bank_account'
                   WHEN i.reason = 'tax_not_booked' THEN 'provider_tax' ELSE 'provider_fee' END],
               ARRAY[-i.difference, i.difference]
        FROM {suspense_items} i WHERE i.state = 'resolved' AND i.difference IS NOT NULL
            AND (i.resolution IN ('fee', 'written_off')
                 OR (i.resolution = 'matched' AND i.reason IN ('settlement_not_booked', 'float_moved')))
        """,
    ),
)

INVARIANTS = (
    Invariant(
        "suspended_news_is_as_it_came",
        "Every item has the bytes of the message that opened it, until they are deleted at the "
        "end of their retention.",
        """
        SELECT item_id, state, opened_at, resolved_at FROM suspense_items i
        WHERE CASE WHEN told <> '' THEN told_sha256 IS DISTINCT FROM sha256(told)  -- by a function
              ELSE told_sha256 IS DISTINCT FROM sha256(told)
                   AND (state = 'open' OR resolved_at > now() - interval '179 days') END
        """,
    ),
    Invariant(
        "suspense_ends_by_somebody",
        "A resolved item has the time and kind of its resolution; an item with money is never "
        "dismissed; the audit trail has exactly the decisions of operators.",
        f"""
        SELECT i.item_id, i.state, i.resolution, i.resolved_by, i.resolved_at FROM suspense_items i
        WHERE state = 'resolved' AND (
            i.resolved_at < i.opened_at OR i.resolved_at > now() + {AHEAD}
            OR ((i.booked > 0 OR i.difference IS NOT NULL) AND i.resolution = 'dismissed')
            OR (i.resolved_by <> 'payments' AND NOT EXISTS (
                SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY}
                AND e.subject = 'sus_' || lower(compact(i.item_id))
                AND e.action = 'suspense_' || i.resolution AND e.actor = i.resolved_by
                AND e.happened_at = i.resolved_at)))
        UNION ALL
        SELECT i.item_id, i.state, e.action, e.actor, e.happened_at FROM audit_events e
        LEFT JOIN suspense_items i ON e.subject = 'sus_' || lower(compact(i.item_id))
        WHERE e.account_id = {_NOBODY} AND starts_with(e.action, 'suspense_')
            AND (e.action IS DISTINCT FROM 'suspense_' || i.resolution
                 OR e.happened_at IS DISTINCT FROM i.resolved_at)
        """,
    ),
)
