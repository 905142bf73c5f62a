"""Figures of data requests and breaches in a period, by kind."""

from meterai.plumbing.db.figures import FigureQuery, between, waits, within

_ASKED = within("asked_at")
PRIVACY = f"""
SELECT kind AS of, count(*) AS asked, count(*) FILTER (WHERE answered_at <= due_at) AS in_time,
       count(*) FILTER (WHERE answered_at > due_at OR (answered_at IS NULL AND due_at < ends)) AS late,
       count(*) FILTER (WHERE state IN ('erased', 'swept')) AS erased,
       {waits(between("asked_at", "answered_at"), "answered_at IS NOT NULL")}
FROM (SELECT kind, state, asked_at, answered_at, due_at FROM privacy_requests
      UNION ALL
      -- A breach is answered once both subjects and agency were notified.
      SELECT 'breach', state, known_at, CASE WHEN agency_told_at IS NOT NULL AND subjects_told_at IS NOT NULL
          THEN greatest(agency_told_at, subjects_told_at) END, due_at FROM breaches) r, period
WHERE {_ASKED}
GROUP BY kind ORDER BY kind
"""
FIGURES = (FigureQuery("privacy", PRIVACY, "privacy_kind"),)
