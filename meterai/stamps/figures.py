"""Figures for the regulator: number of serials reserved in a period, and how many of these are on more than one document."""

from meterai.plumbing.db.figures import PromiseQuery, within

ON_ONE_DOCUMENT = f"""
SELECT count(*) AS asked,
       count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM stamps o WHERE o.serial = s.serial
               AND (o.account_id, o.stamping_id) IS DISTINCT FROM (s.account_id, s.stamping_id))) AS broken
FROM stamps s, period WHERE {within("s.reserved_at")}
"""
PROMISES = (PromiseQuery(4, "serial_is_on_one_document", ON_ONE_DOCUMENT),)
