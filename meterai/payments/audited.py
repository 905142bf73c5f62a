"""Rules by which the audit checks the columns of the tables of payments."""

from meterai.plumbing.db.audited import (
    WORK,
    Audited,
    ClockColumn,
    DueWork,
    MarkEvidence,
    SubjectColumn,
    fact,
    global_fact,
)

_CLOSED = "state IN ('lost', 'expired', 'cancelled', 'declined') AND t.cancel_at < 'infinity'"
# SQL: the time of the migration since which unanswered queries are recorded.
_SINCE = "(SELECT applied_at FROM applied_migrations WHERE right(name, 16) = '0016_unheard.sql')"
AUDITED = Audited(
    clocks=(
        ClockColumn(
            "payment_attempts", "expires_at", "t.opened_at + interval '8 days'", since="t.opened_at"
        ),
        ClockColumn("payment_attempts", "leased_until", "now() + interval '1 hour'"),
        # A paid attempt is queried until the end of its window, any other attempt until it is cancelled.
        ClockColumn(
            "payment_attempts",
            "ask_at",
            "now() + interval '25 hours'",
            "t.state = 'opening' OR t.opened_at < now() - interval '1 day'"
            " OR (t.state NOT IN ('waiting', 'lost', 'paid') AND t.cancel_at = 'infinity')",
        ),
        ClockColumn(
            "payment_attempts",
            "cancel_at",
            "now() + interval '2 hours'",
            "t.state NOT IN ('opening', 'waiting')",  # a late payment may follow the cancellation
        ),
        ClockColumn("refunds", "due_at", "t.requested_at + interval '8 days'"),
        ClockColumn("refunds", "leased_until", "now() + interval '1 hour'"),
        ClockColumn("refunds", "look_at", "now() + interval '8 days'"),
        # A refund by transfer is tried with its transfer; a refund that waits for an account is not tried.
        ClockColumn("refunds", "try_at", "now() + interval '1 day'", "t.way <> 'provider'"),
        ClockColumn("transfers", "leased_until", "now() + interval '1 hour'"),
        ClockColumn("transfers", "try_at", "now() + interval '1 day'"),
        ClockColumn("transfers", "look_at", "now() + interval '8 days'"),
        # The invariants of refunds check whether there is anything to look up.
        ClockColumn("chargebacks", "look_at", "now() + interval '2 hours'", "true"),
    ),
    dues=(
        DueWork("payment_attempts", "t.leased_until", "t.state = 'opening'"),
        DueWork(
            "payment_attempts",
            "t.ask_at",
            "t.ask_rank = 0 AND t.state <> 'opening'",
            "interval '1 hour'",
        ),
        DueWork(
            "payment_attempts",
            "t.ask_at",
            "t.ask_rank = 1 AND t.state <> 'opening'",
            "interval '1 day'",
        ),
        DueWork(
            "payment_attempts",
            "greatest(t.cancel_at, t.expires_at)",
            f"t.{_CLOSED}",
            "interval '1 hour'",
        ),
        DueWork("transfers", "t.try_at", "t.state = ANY ('{planned,sent,accepted}')"),
        DueWork("transfers", "t.look_at", "t.look_at IS NOT NULL"),
    ),
    evidence=(
        MarkEvidence(
            "payment_attempts",
            "t.cancel_at = 'infinity'",
            "t.cancel_tries > 0 OR (t.instructions IS NULL AND t.state <> 'lost') OR t.opened_at < now() - interval '1 day'",
        ),
        MarkEvidence(
            "payment_attempts",
            "t.answered_at IS NOT NULL OR t.asked > 100000",
            # A query at the request of the buyer is not counted in `asked`.
            "t.asked BETWEEN 1 AND 100000 OR (t.asked = 0 AND t.buyer_asked_at IS NOT NULL)",
        ),
        # An attempt is queried at least once a day, and an attempt without an answer is marked (`unheard_since`).
        MarkEvidence(
            "payment_attempts",
            "t.state <> 'opening' AND t.ask_at BETWEEN now() AND now() + interval '25 hours'"
            f" AND coalesce(t.answered_at, t.opened_at) < now() - interval '2 days' AND t.opened_at > {_SINCE}",
            "t.unheard_since IS NOT NULL",
        ),
        # News of a payment is in the books or in suspense, except on a rail that demands a status query.
        MarkEvidence(
            "notification_inbox",
            "t.received_at > now() - interval '7 days' AND t.reading->>'status' = 'paid' AND t.outcome <> 'asked'"
            " AND t.outcome !~ '^(suspended|refused)_'",
            "EXISTS (SELECT 1 FROM captures c WHERE c.payment = t.reading->>'number')",
        ),
        MarkEvidence(
            "notification_inbox",
            "t.received_at > now() - interval '7 days' AND starts_with(t.outcome, 'suspended_')",
            "EXISTS (SELECT 1 FROM suspense_items i WHERE i.told_sha256 = t.body_sha256 OR i.payment = t.reading->>'number'"
            " OR i.reference = t.reading->>'reference')",
        ),
        # The row of a payee ends if its buyer names another account, or if its bank refuses a transfer.
        MarkEvidence(
            "payees",
            "t.ended_at IS NOT NULL",
            """EXISTS (SELECT 1 FROM {payees*} o WHERE o.account_id = t.account_id AND o.payee_id <> t.payee_id
                AND o.named_at >= t.ended_at)
            OR EXISTS (SELECT 1 FROM transfers f WHERE f.account_id = t.account_id AND f.payee_id = t.payee_id
                AND f.state IN ('refused', 'returned'))""",
        ),
        MarkEvidence("chargebacks", "t.unheard_since IS NOT NULL", "t.look_at < 'infinity'"),
        MarkEvidence("refunds", "t.unheard_since IS NOT NULL", "t.look_at IS NOT NULL"),
        MarkEvidence("transfers", "t.unheard_since IS NOT NULL", "t.look_at IS NOT NULL"),
    ),
    facts=(
        fact("payment_attempts", "opened_at", "attempt_id subject reference amount expires_at"),
        fact(
            "payment_attempts", "opened_at", "attempt_id provider method", name="attempt_channels"
        ),
        fact(
            "payment_attempts",
            "instructed_at",
            "attempt_id provider_reference instructions",
            name="attempts_instructed",
        ),
        fact("captures", "captured_at", "attempt_id payment amount learned_by"),
        fact("chargebacks", "first_told_at", "attempt_id payment subject"),
        fact(
            "refunds",
            "requested_at",
            "refund_id cause_key cause order_id attempt_id payment amount stamps refund_no due_at",
        ),
        fact("refunds", "settled_at", "refund_id provider_refund_no", name="refunds_settled"),
        fact("payees", "named_at", "payee_id bank_code"),
        fact("transfers", "planned_at", "transfer_id payee_id provider transfer_no"),
        fact(
            "transfers",
            "settled_at",
            "transfer_id amount provider_transfer_no",
            name="transfers_settled",
        ),
        fact("compensations", "begun_at", "refund_id day amount"),
        global_fact(
            "notification_inbox", "received_at", "provider external_id sent_on body_sha256"
        ),
    ),
    shown={
        "chargebacks": {
            "Whether a later notification without a number may concern this payment.": "is_named",
            "Time when the bank repeated its notification.": "last_told_at",
            "Whether the bank's record must be queried; the result is in the books.": "returned_told",
        },
        "notification_inbox": {
            (
                "The parsed content of the notification, processed once; the audit parses the bytes "
                "again and compares (news_check)."
            ): "reading",
        },
        "payment_attempts": {
            WORK: "asked tries last_answer cancel_tries",
            "Whether a QR that may exist at the provider must be cancelled, or is left to expire.": "is_perhaps_made",
            "In which of two queues the status query waits; both are checked by their due times.": "ask_rank",
            "The earliest time at which the buyer can cause another status query.": "buyer_asked_at",
        },
        "transfers": {
            WORK: "last_answer tried_at",
            "Lease during which no other worker sends it; a late send is found by its due time.": "leased_until",
        },
        "float_balances": "The last answer of a bank; it is queried again within minutes.",
        "refunds": {
            WORK: "last_answer tried_at",
            "Lease during which no other worker sends it; a late send is found by its due time.": "leased_until",
        },
    },
    subjects={
        "refunds": SubjectColumn("order_id"),
        "payment_attempts": SubjectColumn("subject"),
        "chargebacks": SubjectColumn("subject"),
        "captures": SubjectColumn("attempt_id", through="payment_attempts"),
        "compensations": SubjectColumn("refund_id", through="refunds"),
        "transfers": SubjectColumn("transfer_id"),
    },
    of_accounts=("payees",),
    unfinished=(
        "SELECT account_id, order_id FROM refunds WHERE refund_is_open(state)",
        "SELECT account_id, transfer_id FROM transfers WHERE state = ANY ('{planned,sent,accepted}')",
    ),
    # All transfers of the account: a compensation names only its last transfer, and an account has few transfers.
    related=(
        "SELECT t.account_id, t.transfer_id FROM transfers t JOIN {found} m USING (account_id)",
    ),
)
