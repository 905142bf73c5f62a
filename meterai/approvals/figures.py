"""Promise query of approvals: counts the executed requests of a period, and the requests among them that their own requester
approved, which breaks the promise.
"""

from meterai.plumbing.db.figures import PromiseQuery, within

BY_TWO = f"""
SELECT count(*) AS asked, count(*) FILTER (WHERE decided_by = requested_by) AS broken
FROM approvals, period WHERE state = 'executed' AND {within("decided_at")}
"""
PROMISES = (PromiseQuery(7, "second_person_decided", BY_TWO),)
