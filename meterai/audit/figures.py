"""Promise query of the audit: counts the days of a period, and the days among them that no clean audit covers, which breaks the
promise.
"""

from meterai.plumbing.db.figures import PromiseQuery

COVERED = """
SELECT count(*) AS asked,
       count(*) FILTER (WHERE day > (SELECT coalesce(max(covers_until), '-infinity') FROM audit_points)) AS broken
FROM period, generate_series(begins + interval '1 day', least(ends, now()), interval '1 day') day
"""
PROMISES = (PromiseQuery(7, "days_are_audited", COVERED),)
