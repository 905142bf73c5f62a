"""Figures of a period: payments by method, refunds by cause, and refunds that were late."""

from meterai.plumbing.db.figures import FigureQuery, PromiseQuery, between, waits, within

PAYMENTS = f"""
SELECT upper(a.method) AS of,
       count(DISTINCT a.attempt_id) FILTER (WHERE {within("a.opened_at")}) AS attempts,
       count(c.payment) FILTER (WHERE {within("c.captured_at")}) AS payments,
       coalesce(sum(c.amount) FILTER (WHERE {within("c.captured_at")}), 0) AS paid_rupiah,
       count(*) FILTER (WHERE {within("c.captured_at")} AND c.learned_by = 'question') AS asked_for
FROM payment_attempts a CROSS JOIN period LEFT JOIN captures c USING (account_id, attempt_id)
WHERE {within("a.opened_at")} OR {within("c.captured_at")}
GROUP BY a.method ORDER BY a.method
"""
_SETTLED = f"state = 'settled' AND {within('settled_at')}"
_OPEN = "requested_at < ends AND (refund_is_open(state) OR settled_at >= ends)"
REFUNDS = f"""
SELECT cause AS of,
       count(*) FILTER (WHERE {within("requested_at")}) AS requested,
       coalesce(sum(amount) FILTER (WHERE {within("requested_at")}), 0) AS requested_rupiah,
       count(*) FILTER (WHERE {_SETTLED}) AS settled,
       coalesce(sum(amount) FILTER (WHERE {_SETTLED}), 0) AS settled_rupiah,
       {waits(between("requested_at", "settled_at"), _SETTLED)},
       count(*) FILTER (WHERE {_SETTLED} AND settled_at > due_at) AS late,
       count(*) FILTER (WHERE {_OPEN}) AS open,
       coalesce(sum(amount) FILTER (WHERE {_OPEN}), 0) AS open_rupiah
FROM refunds, period
WHERE {within("requested_at")} OR {within("settled_at")} OR {_OPEN}
GROUP BY cause ORDER BY cause
"""
BACK_IN_TIME = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE settled_at > due_at OR (settled_at IS NULL AND due_at < now())) AS broken
FROM refunds, period WHERE refund_counts(state) AND {within("due_at")}
"""
FIGURES = (FigureQuery("payments", PAYMENTS), FigureQuery("refunds", REFUNDS, "figures.refunds.of"))
PROMISES = (PromiseQuery(2, "money_is_back_in_time", BACK_IN_TIME),)
