"""Rules by which the audit checks the columns of the tables of refunds."""

from meterai.plumbing.db.audited import Audited, ClockColumn, MarkEvidence, fact

_TYPED = (
    "Bank accounts as they were typed, kept for a week; the accepted account is a payee, and in "
    "the audit trail."
)

AUDITED = Audited(
    facts=(
        fact("refund_keys", "used_at", "idempotency_key request_hash refund_id"),
        fact("claim_links", "made_at", "link_id refund_id expires_at"),
    ),
    shown={
        "account_claims": {
            _TYPED: "account_id claim_id claim_key request_hash link_id asked_at bank_code account_no typed confirmed held_for decided_at",
        },
    },
    clocks=(ClockColumn("claim_links", "expires_at", "t.made_at + interval '400 days'"),),
    evidence=(
        MarkEvidence(
            "claim_links",
            "t.state = 'used'",
            """EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = t.account_id
                AND e.action = 'account_named' AND e.happened_at = t.ended_at)""",
        ),
        # Money goes only to the account in the audit trail: its digest is that of the payee.
        MarkEvidence(
            "payees",
            """t.account_no <> '' AND EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = t.account_id AND e.action = 'account_named'
                AND e.happened_at = t.named_at)""",
            """EXISTS (SELECT 1 FROM {audit_events*} e WHERE e.account_id = t.account_id AND e.action = 'account_named'
                AND e.happened_at = t.named_at
                AND e.facts->>'digest' = encode(sha256(uuid_send(t.account_id)
                    || convert_to(concat_ws(E'\\n', t.bank_code, t.account_no, t.holder), 'UTF8')), 'hex'))""",
        ),
    ),
    of_accounts=("refund_keys",),
)
