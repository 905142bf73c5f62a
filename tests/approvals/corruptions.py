"""Corruptions of rows of approvals, and the invariants that must find each."""

from tests.support.corrupting import corruption

CORRUPTIONS = (
    corruption(
        "who asked approved it too",
        "ALTER TABLE approvals DROP CONSTRAINT approver_is_another;"
        " UPDATE approvals SET decided_by = requested_by WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    corruption(
        "an approval is executed that nobody pulled",
        "UPDATE approvals SET state = 'executed' WHERE approval_id = %(approval_declined)s",
        "approval_is_in_the_trail",
    ),
    corruption(
        "an executed approval is gone",
        "DELETE FROM approvals WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    corruption(
        "an executed approval was declined after all",
        "UPDATE approvals SET state = 'declined' WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    corruption(
        "something else was approved than what was shown",
        "UPDATE approvals SET forecast_sha256 = sha256('x') WHERE approval_id = %(approval_executed)s",
        "approval_is_in_the_trail",
    ),
    corruption(
        "an approved lever is not in the trail",
        "DELETE FROM audit_events WHERE action = 'lever_pulled' AND facts ? 'approval'",
        "approval_is_in_the_trail",
    ),
    corruption(
        "an approval is not in the trail",
        "DELETE FROM audit_events WHERE action = 'approval_executed'",
        "approval_is_in_the_trail",
    ),
    corruption(
        "nobody asked for what waits",
        "DELETE FROM audit_events WHERE action = 'approval_requested'",
        "approval_is_in_the_trail",
    ),
    corruption(
        "the trail has an approval of nothing",
        "INSERT INTO audit_events (account_id, actor, action, subject, facts) VALUES"
        " ('00000000-0000-0000-0000-000000000000', 'staff:acc_1', 'approval_executed', 'apr_1', '{}')",
        "approval_is_in_the_trail",
    ),
    corruption(
        "a request waits longer than it lives",
        "UPDATE approvals SET requested_at = now() - interval '2 days', expires_at = now() - interval '1 hour'"
        " WHERE approval_id = %(approval_waiting)s",
        "work_is_done_in_time",
    ),
    corruption(
        "an approval is marked as expired",
        "UPDATE approvals SET state = 'expired', decided_at = now() WHERE state = 'waiting'",
        "approval_is_in_the_trail",
    ),
)
