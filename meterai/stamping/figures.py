"""Stampings of a period: from the balance, and of orders, which begin when they are paid."""

from meterai.plumbing.figures import Figures, between, waits, within

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
    LEFT JOIN orders o ON o.account_id = s.account_id AND o.order_id = s.order_id
WHERE {within("s.requested_at")} OR {within("s.delivered_at")}
GROUP BY 1 ORDER BY 1
"""
FIGURES = (Figures("stampings", STAMPINGS, "figures.stampings.of"),)
