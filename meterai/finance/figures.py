"""Figures of finance in a period: days closed, duty paid to the treasury, fees of providers, and sales by channel and
region.
"""

from meterai.plumbing.db.figures import FigureQuery, between, within

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
# For measures of competition each channel counts as one seller: our pages, programs of buyers, and every distributor. A
# stamp is sold when its duty becomes due, as in statements of duty.
_SOLD = """
sold AS (
    SELECT l.channel, l.seller_id,
           coalesce(sum(l.amount) FILTER (WHERE l.book = 'stamps_available' AND l.reason = 'stamps_issued'), 0)
           - coalesce(sum(l.amount) FILTER (WHERE l.book = 'stamps_ordered' AND l.reason = 'stamps_affixed'), 0) AS stamps,
           coalesce(sum(l.amount) FILTER (WHERE l.book = 'duty_payable'), 0) AS duty,
           coalesce(sum(l.amount) FILTER (WHERE l.book = 'buyer_funds' AND l.reason = 'payment_captured'), 0) AS paid,
           coalesce(sum(l.amount) FILTER (WHERE l.book = 'refunds_payable'
               AND l.reason IN ('refund_requested', 'refund_rerouted', 'refund_void')), 0) AS returned
    FROM channel_lines((SELECT begins FROM period), (SELECT ends FROM period)) l
    WHERE l.channel IN ('page', 'api', 'distributor') GROUP BY l.channel, l.seller_id
), every AS (
    SELECT s.*, d.region, s.stamps / nullif(sum(s.stamps) OVER (), 0)::double precision AS share
    FROM sold s LEFT JOIN distributors_told() d ON d.account_id = s.seller_id
)
"""
_NUMBERS = """count(*) FILTER (WHERE stamps > 0) AS channels, sum(stamps)::bigint AS stamps,
       sum(share)::double precision AS sold_share, sum(duty)::bigint AS duty_rupiah, sum(paid)::bigint AS paid_rupiah,
       (sum(returned) / nullif(sum(paid), 0))::double precision AS returned_share"""
BY_CHANNEL = (
    f", {_SOLD} SELECT channel AS of, {_NUMBERS} FROM every GROUP BY channel ORDER BY channel"
)
BY_REGION = f""", {_SOLD}
SELECT coalesce(region, d.of) AS of, coalesce(max(d.sellers), 0)::integer AS sellers, {_NUMBERS}
FROM every FULL JOIN (
    SELECT region AS of, count(*) AS sellers FROM distributors_told() WHERE state = 'open' GROUP BY region) d
    ON d.of = region
WHERE seller_id IS NULL OR channel = 'distributor' GROUP BY 1 ORDER BY 1
"""
CONCENTRATION = f""", {_SOLD}
SELECT '' AS of, count(*) FILTER (WHERE stamps > 0) AS channels, max(share) AS top_share,
       (SELECT sum(share) FROM (SELECT share FROM every ORDER BY share DESC NULLS LAST LIMIT 3) best) AS top_three_share,
       round((sum(share ^ 2) * 10000)::numeric)::integer AS herfindahl,
       (SELECT count(DISTINCT region) FROM distributors_told() WHERE state = 'open') AS regions,
       count(DISTINCT region) FILTER (WHERE stamps > 0) AS regions_with_sales
FROM every
"""
FIGURES = (
    FigureQuery("closes", CLOSES),
    FigureQuery("payouts", PAYOUTS),
    FigureQuery("fees", FEES),
    FigureQuery("channel_kinds", BY_CHANNEL, "finance.channel"),
    FigureQuery("channel_regions", BY_REGION),
    FigureQuery("channel_concentration", CONCENTRATION),
)
