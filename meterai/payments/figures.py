"""Payments of a period, by the method of paying."""

from meterai.plumbing.figures import Figures, within

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
FIGURES = (Figures("payments", PAYMENTS),)
