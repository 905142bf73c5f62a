"""Figures of complaints in a period, by matter."""

from meterai.plumbing.db.figures import FigureQuery, between, waits, within

_OPENED = within("opened_at")
# The first answer, from the facts or by staff.
_FIRST = "(SELECT min(m.written_at) FROM case_messages m WHERE m.account_id = c.account_id AND m.case_id = c.case_id AND m.kind = 'answer')"
CASES = f"""
SELECT matter AS of,
       count(*) FILTER (WHERE {_OPENED}) AS told,
       count(*) FILTER (WHERE {_OPENED} AND by_facts) AS from_facts,
       (count(*) FILTER (WHERE {_OPENED} AND by_facts))::double precision
           / nullif(count(*) FILTER (WHERE {_OPENED}), 0) AS from_facts_share,
       {waits(between("opened_at", "first_at"), f"{_OPENED} AND first_at < ends")},
       count(*) FILTER (WHERE {_OPENED} AND times_told > 1) AS told_again,
       count(*) FILTER (WHERE {_OPENED} AND reopened_at < ends) AS reopened,
       count(*) FILTER (WHERE {within("closed_at")}) AS closed,
       count(*) FILTER (WHERE opened_at < ends AND (state = 'open' OR closed_at >= ends)) AS waiting,
       count(*) FILTER (WHERE state = 'open' AND due_at < ends) AS overdue
FROM (SELECT c.*, {_FIRST} AS first_at, EXISTS (SELECT 1 FROM case_messages m
          WHERE m.account_id = c.account_id AND m.case_id = c.case_id AND m.author = 'facts') AS by_facts
      FROM cases c) c, period
WHERE {_OPENED} OR {within("closed_at")} OR (opened_at < ends AND state = 'open')
GROUP BY matter ORDER BY matter
"""
FIGURES = (FigureQuery("cases", CASES, "matter"),)
