"""Figures of the sales of distributors in a period: sales that waited for a deposit or lapsed, returned rupiah, and
days on which a deposit was short.
"""

from meterai.plumbing.db.figures import FigureQuery, between, waits, within

# A sale waited if the deposit did not pay it when it was made. The wait of a sale that still waits ends with the period.
_WAITED = "(s.taken_at > s.made_at OR s.taken_at IS NULL)"
_SALES = f"""
    count(*) AS made,
    count(*) FILTER (WHERE {_WAITED}) AS waited,
    {waits(between("s.made_at", "s.taken_at"), "s.taken_at > s.made_at")},
    count(*) FILTER (WHERE s.end_cause = 'due') AS lapsed,
    (count(*) FILTER (WHERE s.end_cause = 'due'))::double precision / count(*) AS lapsed_share,
    coalesce(sum(r.amount), 0)::bigint AS returned_rupiah,
    coalesce(sum(r.amount), 0)::double precision
        / nullif(sum(sale_total(s)) FILTER (WHERE s.taken_at IS NOT NULL), 0) AS returned_share,
    count(DISTINCT (s.account_id, (s.made_at AT TIME ZONE 'Asia/Jakarta')::date)) FILTER (WHERE {_WAITED}) AS short_days
FROM sales s CROSS JOIN period
    JOIN distributors d ON d.account_id = s.account_id
    JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
    LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM deposit_returns b
        WHERE b.account_id = s.account_id AND b.sale_id = s.sale_id) r ON true
WHERE {within("s.made_at")}
"""
SALES = f"SELECT '' AS of, {_SALES} HAVING count(*) > 0"
BY_REGION = f"SELECT t.region AS of, {_SALES} GROUP BY t.region ORDER BY t.region"
FIGURES = (FigureQuery("deposit_sales", SALES), FigureQuery("deposit_sales_by_region", BY_REGION))
