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
SELECT provider AS of, coalesce(-sum(rupiah) FILTER (WHERE resolution = 'matched'), 0)::bigint AS settled_rupiah,
       coalesce(-sum(rupiah) FILTER (WHERE resolution = 'fee' AND reason <> 'tax_not_booked'), 0)::bigint AS fee_rupiah,
       coalesce(-sum(rupiah) FILTER (WHERE resolution = 'fee' AND reason = 'tax_not_booked'), 0)::bigint AS tax_rupiah
FROM suspense_booked(), period WHERE {within("resolved_at")} AND (resolution = 'fee' OR resolution = 'matched'
    AND reason = 'settlement_not_booked') GROUP BY provider ORDER BY provider
"""
FIGURES = (Figures("closes", CLOSES), Figures("payouts", PAYOUTS), Figures("fees", FEES))
