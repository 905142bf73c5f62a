"""Event handlers of refunds."""

from meterai import notifications, payments
from meterai.accounts import Permission
from meterai.kit.ids import new_id, show
from meterai.kit.money import Rupiah
from meterai.payments import RefundCause, RefundSender
from meterai.payments.events import (
    AccountWanted,
    MoneyToReturn,
    PaymentDenied,
    RefundRequested,
    RefundRerouted,
    RefundSettled,
)
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.plumbing.work.events import on
from meterai.plumbing.work.published import PublicEvent, Told
from meterai.refunds import store
from meterai.refunds.claiming import ClaimService, in_both_languages
from meterai.refunds.service import (
    RefundService,
    all_shown,
    is_for_seller,
    load,
    return_unused,
)
from meterai.stamping.events import StampingFailed


async def return_money(tx: Tx, event: MoneyToReturn, service: RefundService) -> None:
    """Begin the refund of money of a payment that its order does not use."""
    refund = new_id()
    await store.surplus(
        tx,
        event.account,
        refund,
        cause_key=event.key,
        cause=event.cause,
        order=event.order,
        attempt=event.attempt,
        payment=event.payment,
        amount=event.amount,
        number=payments.refund_number(event.account, refund),
        due_at=service.due(),
    )


async def return_unstamped(tx: Tx, event: StampingFailed, service: RefundService) -> None:
    """Begin the refund of the stamps of a document that could not be stamped; does nothing for a stamping without an order."""
    if event.order is None:
        return
    await return_unused(
        tx,
        event.account,
        event.order,
        cause=RefundCause.NOT_STAMPED,
        due_at=service.due(),
        of=event.stamping,
    )


async def tell_requested(tx: Tx, event: RefundRequested, refunds: RefundSender) -> None:
    """Queue the mail about a refund that begins. The mail says the cause of the refund, the way by which the money goes back,
    and the due time.
    """
    refund = await load(tx, event.account, event.refund)
    word = "seller" if is_for_seller(refund) else await refunds.way_of(tx, refund)
    due = in_both_languages(refund.due_at)
    await notifications.queue(
        tx,
        event.account,
        cause=f"refund_requested:{refund.id}",
        template="refund_requested",
        facts={
            "amount": str(refund.amount),
            "order": show("ord", refund.subject),
            "number": refund.number,
            "due": due,
            "how": {one: translate(f"how.refund.{word}", one, due=due[one]) for one in LANGUAGES},
            "why": {
                language: translate(f"refund.cause.{refund.cause}", language)
                for language in LANGUAGES
            },
        },
    )


async def tell_settled(tx: Tx, event: RefundSettled, claims: ClaimService) -> None:
    """Queue the mail that is the receipt of a settled refund.  If a compensation is owed, ask the buyer for a bank account to
    which it can be sent.
    """
    refund = await load(tx, event.account, event.refund)
    paid = await payments.compensations_of(tx, event.account, [refund.began_as])
    if late := paid.get(refund.began_as):
        await claims.want_for_lateness(tx, event.account, refund.id)
    [shown] = await all_shown(tx, event.account, [refund])
    facts: dict[str, object] = {
        "amount": str(refund.amount),
        "order": show("ord", refund.subject),
        "number": refund.number,
        "bank_number": refund.provider_number,
        "payment": refund.payment,
        "where": {
            one: translate(f"where.refund.{shown.way_word}", one, account=shown.goes_to)
            for one in LANGUAGES
        },
        "late": str(late) if late else "",
    }
    if refund.settled_at:
        facts["at"] = in_both_languages(refund.settled_at)
    cause = f"refund_settled:{refund.id}"
    await notifications.queue(
        tx, event.account, cause=cause, template="refund_settled", facts=facts
    )


async def want_account(tx: Tx, event: AccountWanted, claims: ClaimService) -> None:
    """Queue the mail with a claim link, by which the buyer names a bank account."""
    await claims.want(tx, event.account, event.refund)


async def tell_taken_back(tx: Tx, event: PaymentDenied) -> None:
    """Queue the mail about a chargeback, once for each payment: it says that no refund follows."""
    await notifications.queue(
        tx,
        event.account,
        cause=f"payment_taken_back:{event.attempt}:{event.payment}",
        template="payment_taken_back",
        facts={"amount": str(Rupiah(event.amount)), "order": show("ord", event.subject)},
    )


HANDLERS = (
    on(MoneyToReturn, return_money, gives_up=False, service=RefundService),
    on(StampingFailed, return_unstamped, gives_up=False, service=RefundService),
    on(RefundRequested, tell_requested, gives_up=True, service=RefundSender),
    on(RefundSettled, tell_settled, gives_up=True, service=ClaimService),
    on(AccountWanted, want_account, gives_up=False, service=ClaimService),
    on(PaymentDenied, tell_taken_back, gives_up=True),
)


async def _told(
    tx: ReadTx, event: RefundRequested | RefundRerouted | AccountWanted | RefundSettled
) -> Told:
    found = await load(tx, event.account, event.refund)
    return {
        "refund_id": show("rfd", found.id),
        "order_id": show("ord", found.subject),
        "state": found.state,
        "cause": found.cause,
        "amount": found.amount.value,
        "currency": "IDR",
    }


_REFUND_READ = Permission.REFUND_READ
PUBLISHED = (
    PublicEvent("refund.requested", RefundRequested, _REFUND_READ, _told),
    PublicEvent("refund.rerouted", RefundRerouted, _REFUND_READ, _told),
    PublicEvent("refund.account_wanted", AccountWanted, _REFUND_READ, _told),
    PublicEvent("refund.settled", RefundSettled, _REFUND_READ, _told),
)
