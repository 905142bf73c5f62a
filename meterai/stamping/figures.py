"""Figures of the stampings in a period.  The duration of a stamping with an order is counted from the payment."""

from meterai.plumbing.db.figures import FigureQuery, PromiseQuery, between, waits, within

_DELIVERED = f"s.state = 'delivered' AND {within('s.delivered_at')}"
STAMPINGS = f"""
SELECT CASE WHEN s.order_id IS NULL THEN 'balance' ELSE 'order' END AS of,
       count(*) FILTER (WHERE {within("s.requested_at")}) AS asked_for,
       count(*) FILTER (WHERE {_DELIVERED}) AS stamped,
       coalesce(sum(s.quantity) FILTER (WHERE {_DELIVERED}), 0) AS stamps,
       count(*) FILTER (WHERE {_DELIVERED} AND s.tries > 1) AS resumed,
       count(*) FILTER (WHERE s.state = 'failed' AND {within("s.requested_at")}) AS failed,
       {waits(between("coalesce(o.paid_at, s.requested_at)", "s.delivered_at"), _DELIVERED)}
FROM stampings s CROSS JOIN period
    LEFT JOIN orders_told() o ON o.account_id = s.account_id AND o.order_id = s.order_id
WHERE {within("s.requested_at")} OR {within("s.delivered_at")}
GROUP BY 1 ORDER BY 1
"""
FIGURES = (FigureQuery("stampings", STAMPINGS, "figures.stampings.of"),)
# A document that is neither stamped nor failed after its due time still holds its stamps.
NOT_BURNED = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE state = 'reserved' AND due_at < least(ends, now()) - interval '10 minutes') AS broken
FROM stampings, period WHERE state IN ('reserved', 'delivered', 'failed') AND {within("requested_at")}
"""
CHECKABLE = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE d.stamping_id IS NULL OR s.sha256_stamped IS NULL) AS broken
FROM stampings s CROSS JOIN period
    LEFT JOIN deltas d ON d.account_id = s.account_id AND d.stamping_id = s.stamping_id
WHERE s.state = 'delivered' AND {within("s.delivered_at")}
"""
PROMISES = (
    PromiseQuery(3, "stamp_is_not_burned", NOT_BURNED),
    PromiseQuery(6, "stamp_can_be_checked", CHECKABLE),
)
