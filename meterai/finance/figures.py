"""Finance in a period: days closed, duty paid to the treasury, and what providers kept."""

from meterai.plumbing.figures import Figures, between, within

CLOSES = f"""
SELECT '' AS of, count(*) AS days_closed,
       max({between("timezone('Asia/Jakarta', (day + 1)::timestamp)", "closed_at")}) AS longest_seconds
FROM day_closes, period WHERE {within("closed_at")}
"""
PAYOUTS = f"""
SELECT '' AS of, coalesce(sum(amount) FILTER (WHERE state = 'confirmed' AND {within("ended_at")}), 0) AS paid_rupiah,
       coalesce(sum(amount) FILTER (WHERE state IN ('approved', 'sent')), 0) AS open_rupiah,
       count(*) FILTER (WHERE state = 'failed' AND {within("ended_at")}) AS failed
FROM payouts, period
"""
FEES = f"""
SELECT provider AS of, sum(net)::bigint AS settled_rupiah, sum(fee)::bigint AS fee_rupiah,
       sum(tax)::bigint AS tax_rupiah
FROM settlement_lines, period WHERE {within("booked_at")} GROUP BY provider ORDER BY provider
"""
FIGURES = (Figures("closes", CLOSES), Figures("payouts", PAYOUTS), Figures("fees", FEES))
