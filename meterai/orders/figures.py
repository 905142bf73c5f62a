"""Figures of the orders of a period: sales, how long buyers who paid had to wait, and by which channels buyers came."""

from meterai.plumbing.db.figures import FigureQuery, PromiseQuery, between, waits, within

_CLOSED = within("closed_at")
_EXECUTED = f"state = 'executed' AND {_CLOSED}"
SALES = f"""
SELECT kind AS of,
       count(*) FILTER (WHERE {within("placed_at")}) AS placed,
       count(*) FILTER (WHERE {within("paid_at")}) AS paid,
       count(*) FILTER (WHERE {_EXECUTED}) AS executed,
       coalesce(sum(quantity) FILTER (WHERE {_EXECUTED}), 0) AS stamps,
       coalesce(sum(total) FILTER (WHERE {_EXECUTED}), 0) AS sold_rupiah,
       count(*) FILTER (WHERE state IN ('returning', 'returned') AND {_CLOSED}) AS given_back,
       count(*) FILTER (WHERE state = 'denied' AND {_CLOSED}) AS denied,
       count(*) FILTER (WHERE state IN ('lapsed', 'withdrawn') AND {_CLOSED}) AS unpaid
FROM orders, period
WHERE {within("placed_at")} OR {within("paid_at")} OR {_CLOSED}
GROUP BY kind ORDER BY kind
"""
# An order is late if it was neither executed nor being returned at its due time.  An order that was still in the state
# `paid` at the end of the period counts as waiting.
WAITS = f"""
SELECT '' AS of,
       count(*) FILTER (WHERE {_EXECUTED}) AS executed,
       {waits(between("paid_at", "closed_at"), _EXECUTED)},
       count(*) FILTER (WHERE state <> 'paid' AND {_CLOSED} AND closed_at > due_at) AS late,
       count(*) FILTER (WHERE paid_at < ends AND (state = 'paid' OR closed_at >= ends)) AS waiting,
       count(*) FILTER (WHERE paid_at < ends AND (state = 'paid' OR closed_at >= ends)
           AND due_at < ends) AS overdue
FROM orders, period WHERE paid_at < ends
"""
# Channels of buyers: our pages make the idempotency keys of their forms, other keys come from programs; sold orders are
# of distributors.
CHANNELS = f"""
SELECT CASE WHEN is_sold THEN 'distributor' WHEN is_of_page THEN 'page' ELSE 'key' END
           || CASE WHEN is_of_organization AND NOT is_sold THEN '_of_organization' ELSE '' END AS of,
       count(*) FILTER (WHERE {within("placed_at")}) AS placed,
       count(DISTINCT account_id) FILTER (WHERE {within("placed_at")}) AS buyers,
       count(*) FILTER (WHERE {_EXECUTED}) AS executed,
       coalesce(sum(quantity) FILTER (WHERE {_EXECUTED}), 0) AS stamps,
       coalesce(sum(total) FILTER (WHERE {_EXECUTED}), 0) AS sold_rupiah
FROM (SELECT o.*, starts_with(idempotency_key, 'frm_') OR starts_with(idempotency_key, 'reorder:') AS is_of_page,
             EXISTS (SELECT 1 FROM order_sellers s WHERE s.account_id = o.account_id AND s.order_id = o.order_id) AS is_sold,
             EXISTS (SELECT 1 FROM organizations_told() n WHERE n.account_id = o.account_id) AS is_of_organization
      FROM orders o WHERE kind <> 'deposit') o, period
WHERE {within("placed_at")} OR {_EXECUTED}
GROUP BY 1 ORDER BY 1
"""
# The promise is broken if an order is neither executed nor being returned at its due time.  An order still in the state
# `paid` is judged at the end of the period.
IN_TIME = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE CASE state WHEN 'paid' THEN due_at < least(ends, now()) - interval '10 minutes'
                              ELSE closed_at > due_at + interval '10 minutes' END) AS broken
FROM orders, period WHERE paid_at IS NOT NULL AND {within("due_at")}
"""
FIGURES = (
    FigureQuery("sales", SALES, "figures.sales.of"),
    FigureQuery("waits", WAITS),
    FigureQuery("channels", CHANNELS, "figures.channels.of"),
)
PROMISES = (PromiseQuery(2, "paid_is_executed_in_time", IN_TIME),)
