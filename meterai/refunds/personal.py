"""Personal data of refunds."""

from datetime import datetime, timedelta

from meterai import stamps
from meterai.kit.actor import Actor, ActorKind
from meterai.plumbing.db.database import Tx
from meterai.plumbing.db.personal import Basis, KeepReason, Person, Personal, PersonalTable
from meterai.refunds.service import ask

DUE_WITHIN = timedelta(hours=23)  # a refund settles within a day


async def _give_back(tx: Tx, person: Person, at: datetime) -> None:
    """Refund the unused stamps of an erased person.  Such stamps exist if a payment was reported after the erasure."""
    if person.email:
        return
    for order in await stamps.unused_lots(tx, person.account):
        actor = Actor(ActorKind.JOB, "refunds.give_back")
        await ask(tx, person.account, order, None, due_at=at + DUE_WITHIN, actor=actor)


PERSONAL = Personal(
    ids={"refund_id": "rfd"},
    basis=Basis.LAW,
    before=_give_back,
    recipients=("bank",),
    tables=(
        PersonalTable(
            table="refund_keys",
            columns="refund_id idempotency_key used_at",
            inner="account_id request_hash",
            kept=KeepReason.TAX,
            since="t.used_at",
        ),
        PersonalTable(
            table="account_claims",
            columns="claim_id asked_at bank_code account_no typed decided_at",
            inner="account_id claim_key request_hash link_id held_for",
            others="state confirmed",  # for a mistyped number, they may be about another person
            deletes=True,
        ),
        PersonalTable(
            table="claim_links",
            columns="refund_id made_at expires_at state ended_at",
            inner="account_id link_id",
            kept=KeepReason.TAX,
            since="t.made_at",
        ),
    ),
)
