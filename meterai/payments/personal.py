"""What payments keep of a person."""

from meterai.plumbing.personal import Basis, Held, Kept, Personal, Wait

PERSONAL = Personal(
    basis=Basis.LAW,
    recipients=("bank",),
    tables=(
        Held(
            table="payment_attempts",
            columns="attempt_id subject method provider amount state reference opened_at expires_at",
            inner="account_id qr_content provider_reference leased_until ask_at asked tries last_answer is_perhaps_made"
            " ask_rank cancel_at cancel_tries instructions instructed_at buyer_asked_at answered_at",
            kept=Kept.TAX,
            since="t.opened_at",
        ),
        Held(
            table="captures",
            columns="attempt_id payment amount captured_at denied_at",
            inner="account_id learned_by confirmed_at",
            kept=Kept.TAX,
            since="t.captured_at",
        ),
        Held(
            table="chargebacks",
            columns="attempt_id payment subject taken_back returned won lost first_told_at last_told_at",
            inner="account_id is_whole is_named posted findings returned_posted returned_told look_at",
            kept=Kept.TAX,
            since="t.last_told_at",
        ),
    ),
    nobodys={
        "notification_inbox": "The signed words of a bank, of no account; they may name a payer and leave after half a year."
    },
    waits=(
        Wait(
            "payments",
            "SELECT count(*) AS count, max(expires_at) AS until FROM payment_attempts WHERE account_id = %s"
            " AND state IN ('opening', 'waiting')",
        ),
    ),
)
