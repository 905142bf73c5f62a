"""Personal data of payments."""

from collections.abc import Sequence

from meterai import suspense
from meterai.payments import store
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.db.personal import (
    Basis,
    ErasureWait,
    KeepReason,
    Person,
    Personal,
    PersonalTable,
    Wait,
)

# Newest attempts of a person; items in suspense are about attempts of the last days.
REFERENCES_MAX = 1_000


async def _in_suspense(tx: ReadTx, person: Person) -> Sequence[ErasureWait]:
    """The open items in suspense about payments of a person, which delay the person's erasure; empty if there are none."""
    references = await store.references_of(tx, person.account, REFERENCES_MAX)
    found = await suspense.open_about(tx, references, ()) if references else []
    if not found:
        return ()
    return [ErasureWait("suspense", len(found), max(one.due_at for one in found))]


PERSONAL = Personal(
    ids={"refund_id": "rfd", "order_id": "ord"},
    basis=Basis.LAW,
    asks=_in_suspense,
    recipients=("bank",),
    tables=(
        PersonalTable(
            table="payment_attempts",
            columns="attempt_id subject method provider amount state reference opened_at expires_at",
            inner="account_id qr_content provider_reference leased_until ask_at asked tries last_answer is_perhaps_made"
            " ask_rank cancel_at cancel_tries instructions instructed_at buyer_asked_at answered_at unheard_since",
            kept=KeepReason.TAX,
            since="t.opened_at",
        ),
        PersonalTable(
            table="captures",
            columns="attempt_id payment amount captured_at denied_at",
            inner="account_id learned_by confirmed_at recorded_at",
            kept=KeepReason.TAX,
            since="t.captured_at",
        ),
        PersonalTable(
            table="chargebacks",
            columns="attempt_id payment subject taken_back returned won lost first_told_at last_told_at",
            inner="account_id is_whole is_named posted findings returned_posted returned_told look_at unheard_since",
            kept=KeepReason.TAX,
            since="t.last_told_at",
        ),
        PersonalTable(
            table="refunds",
            columns="refund_id order_id requested_at cause amount stamps state refund_no provider_refund_no payment"
            " due_at settled_at reversed",
            inner="account_id cause_key attempt_id try_at tries last_answer leased_until look_at tried_at recorded_at"
            " way transfer_id first_id wanted_at reroute_at waited_seconds unheard_since",
            kept=KeepReason.TAX,
            since="t.requested_at",
        ),
        # A bank account that received money is part of the records that tax law demands (UU KUP 28); others are erased.
        PersonalTable(
            table="payees",
            columns="payee_id bank_code account_no named_at ended_at",
            inner="account_id",
            others="holder",  # the holder's name according to the bank; the holder may not be the buyer
            blanks={"account_no": "''", "holder": "''", "ended_at": "coalesce(t.ended_at, now())"},
            only="NOT EXISTS (SELECT 1 FROM transfers x WHERE x.account_id = t.account_id AND x.payee_id = t.payee_id)",
            kept=KeepReason.TAX,
            since="t.named_at",
        ),
        PersonalTable(
            table="transfers",
            columns="transfer_id payee_id amount transfer_no provider_transfer_no state planned_at settled_at returned_at",
            inner="account_id provider tries try_at leased_until tried_at last_answer recorded_at look_at unheard_since lost",
            kept=KeepReason.TAX,
            since="t.planned_at",
        ),
        PersonalTable(
            table="compensations",
            columns="refund_id day amount begun_at",
            inner="account_id transfer_id",
            kept=KeepReason.TAX,
            since="t.begun_at",
        ),
    ),
    nobodys={
        "notification_inbox": (
            "Signed messages of a bank, without an account; they may name a "
            "payer and are deleted after half a year."
        ),
    },
    waits=(
        Wait(
            "payments",
            "SELECT count(*) AS count, max(expires_at) AS until FROM payment_attempts WHERE account_id = %s"
            " AND state IN ('opening', 'waiting')",
        ),
        Wait(
            "refunds",
            "SELECT count(*) AS count, max(due_at) AS until FROM refunds WHERE account_id = %s"
            " AND refund_is_open(state)",
        ),
    ),
)
