"""Figures of the incidents of a period, by severity: their number, and the seconds for which they were open and had begun."""

from meterai.plumbing.db.figures import FigureQuery, between

_FELT = between("greatest(started_at, begins)", "least(coalesce(resolved_at, ends), ends)")
INCIDENTS = f"""
SELECT severity AS of,
       count(*) AS felt,
       count(*) FILTER (WHERE resolved_at IS NULL OR resolved_at >= ends) AS not_over,
       sum({_FELT}) AS felt_seconds,
       max({_FELT}) AS longest_seconds
FROM incidents, period
WHERE kind = 'incident' AND started_at < ends AND (resolved_at IS NULL OR resolved_at > begins)
GROUP BY severity ORDER BY severity
"""
FIGURES = (FigureQuery("incidents", INCIDENTS, "severity"),)
