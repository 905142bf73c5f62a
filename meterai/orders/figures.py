"""The orders of a period: sales, and how long buyers who paid waited."""

from meterai.plumbing.figures import Figures, between, waits, within

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
# Late is what was neither executed nor on its way back when its time was over; of what is paid still, until the end.
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
FIGURES = (Figures("sales", SALES, "figures.sales.of"), Figures("waits", WAITS))
