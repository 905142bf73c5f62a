"""Invariants of approvals."""

from meterai.plumbing.db.invariants import Invariant

_NOBODY = "'00000000-0000-0000-0000-000000000000'"

INVARIANTS = (
    Invariant(
        "approval_is_in_the_trail",
        "Every request for approval has the requester and the outcome recorded in the audit "
        "trail; an executed one was decided by another person, with the hash that was shown; and "
        "no request in the audit trail is missing.",
        f"""
        SELECT a.approval_id, a.command, a.state, a.requested_by, a.decided_by, a.decided_at FROM approvals a
        WHERE (a.state IN ('executed', 'declined', 'overtaken') AND a.decided_by = a.requested_by)
            OR NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY}
                AND e.subject = 'apr_' || lower(compact(a.approval_id)) AND e.action = 'approval_requested'
                AND e.actor = 'staff:acc_' || lower(compact(a.requested_by)) AND e.happened_at = a.requested_at
                AND e.facts->>'sha256' = encode(a.forecast_sha256, 'hex'))
            OR (a.state <> 'waiting' AND NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY}
                AND e.subject = 'apr_' || lower(compact(a.approval_id)) AND e.action = 'approval_' || a.state
                AND e.actor = coalesce('staff:acc_' || lower(compact(a.decided_by)), 'job:expire_approvals')
                AND e.happened_at = a.decided_at))
            OR (a.state = 'executed' AND NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.account_id = {_NOBODY}
                AND e.action = 'lever_pulled' AND e.subject = a.command AND e.happened_at = a.decided_at
                AND e.actor = 'staff:acc_' || lower(compact(a.decided_by))
                AND e.facts->>'approval' = 'apr_' || lower(compact(a.approval_id))
                AND e.facts->>'sha256' = encode(a.forecast_sha256, 'hex')))
        UNION ALL
        SELECT a.approval_id, e.subject, e.action, a.requested_by, a.decided_by, e.happened_at FROM audit_events e
        LEFT JOIN approvals a ON e.subject = 'apr_' || lower(compact(a.approval_id))
        WHERE e.account_id = {_NOBODY} AND starts_with(e.action, 'approval_')
            AND (a.approval_id IS NULL OR NOT (e.action = 'approval_requested'
                OR (e.action = 'approval_' || a.state AND e.happened_at = a.decided_at)))
        """,
    ),
)
AS_ASKED = Invariant(
    "approval_is_as_asked",
    "The staff action, arguments and forecast of a request match the hash made when it was "
    "requested; they are blanked a year after the decision, and not earlier.",
    "",
)
