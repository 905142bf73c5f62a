"""Figures of outages in a period by act: confirmed records, and their failed and unmeasured minutes."""

from meterai.plumbing.db.figures import FigureQuery

OUTAGES = """
SELECT act.key AS of, count(DISTINCT o.outage_id) AS records,
       sum((one->>'failed_minutes')::integer) AS failed_minutes,
       sum((one->>'unmeasured_minutes')::integer) AS unmeasured_minutes
FROM period, outages o, jsonb_each(o.findings->'failed') act, jsonb_array_elements(act.value) one
WHERE o.state = 'confirmed' AND (one->>'begin')::timestamptz >= begins AND (one->>'begin')::timestamptz < ends
GROUP BY act.key ORDER BY act.key
"""
FIGURES = (FigureQuery("outages", OUTAGES, "act"),)
