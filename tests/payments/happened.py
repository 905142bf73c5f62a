"""Transfers, a change of method, chargebacks, and notifications of the bank."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from meterai import payments, trail
from meterai.accounts import NOBODY
from meterai.kit.ids import new_id
from meterai.kit.money import Rupiah
from meterai.notifications import store as mail_store
from meterai.orders import store as order_store
from meterai.payments import store as payment_store
from meterai.payments.transfers import store as transfer_store
from meterai.plumbing.db.database import Tx
from tests.support.history import History
from tests.support.shop import TESTER, Paid

AFTER = ("reconciliation",)


def happen(history: History) -> None:
    _elsewhere(history)
    _another_way(history)
    _denied(history)
    _told(history)


def _elsewhere(history: History) -> None:
    """Refunds that their provider refused: one was transferred with one day's compensation, and one waits for
    another account."""
    shop, database = history.shop, history.shop.container.database

    def reroute(name: str) -> UUID:
        shop.ask_back(history.quota(name, 1))
        shop.work()
        refused = history.give_back(name, "send", "refuse")
        return shop.do(
            database.run(partial(payments.reroute, account=shop.account, refund=refused))
        ).id

    def name_account(account: UUID = shop.account) -> None:
        payee = payments.RefundPayee("014", "1230001", "ANI LESTARI")
        shop.do(database.run(partial(payments.name_payee, account=account, payee=payee)))

    def plan(name: str) -> UUID:
        transfer = new_id()
        shop.arrange(
            "INSERT INTO transfers (account_id, transfer_id, provider, payee_id, amount, transfer_no)"
            " SELECT p.account_id, %s, 'bank', p.payee_id,"
            " (SELECT sum(amount) FROM refunds WHERE way = 'transfer' AND state = 'requested' AND transfer_id IS NULL)"
            " + (SELECT coalesce(sum(amount), 0) FROM compensations WHERE transfer_id IS NULL),"
            " 'TF' || compact(p.account_id) || compact(%s) FROM payees p WHERE ended_at IS NULL AND account_id = %s",
            transfer,
            transfer,
            shop.account,
        )
        for table, where in (
            ("refunds", "way = 'transfer' AND state = 'requested' AND transfer_id IS NULL"),
            ("compensations", "transfer_id IS NULL"),
        ):
            shop.arrange(f"UPDATE {table} SET transfer_id = %s WHERE {where}", transfer)
        history.names[f"{name}.transfer"] = transfer
        return transfer

    def send() -> None:
        lease = partial(transfer_store.lease_to_send, lease_seconds=60.0, without=[], limit=9)
        assert len(shop.do(database.run(lease))) == 1

    name_account(history["other"])
    first = reroute("transferred")
    day = partial(
        payments.compensate, account=shop.account, refund=first, day=1, rupiah=Rupiah(500)
    )
    assert shop.do(database.run(day))
    name_account()
    sent = plan("transferred")
    send()
    settle = partial(
        transfer_store.settle, account=shop.account, transfer=sent, provider_number="T1"
    )
    assert shop.do(database.run(settle)) == "settled"
    shop.work()
    reroute("untaken")
    name_account()
    refused = plan("untaken")
    send()
    refuse = partial(transfer_store.refuse, account=shop.account, transfer=refused, answer="closed")
    assert shop.do(database.run(refuse)) == "refused"
    shop.work()
    # The buyer named another account, which a person must decide on.
    shop.arrange(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " confirmed, held_for) VALUES (%s, %s, 'key', 'request', 'held', '014', '1230002', 'Ani', 'ANI', 'large_sum')",
        shop.account,
        new_id(),
    )


def _another_way(history: History) -> None:
    """A buyer changes the method, and a rail is taken out."""
    shop = history.shop
    attempt = payments.new_attempt(shop.account)
    terms = ("bank", "qris", 600.0, 86_400.0, 10)
    shop.call(order_store.PAY_BY, shop.account, shop.place(1), *attempt, *terms)

    async def take_out(tx: Tx) -> None:
        await payment_store.set_out(tx, "bri", "it is slow", is_out=True)
        await trail.record(
            tx, NOBODY, actor=TESTER, action="rail_taken_out", subject="bri", reason="it is slow"
        )

    shop.do(shop.container.database.run(take_out))


def _denied(history: History) -> None:
    shop = history.shop

    def deny(paid: Paid) -> None:
        shop.charge_back(paid)
        shop.work()

    history.quota("partial", 3)
    shop.charge_back(
        shop.paid[-1], 4_000
    )  # a stamp goes, and what it was worth beyond it comes back
    shop.work()
    history.give_back("partial")
    history.quota("given_back", 2)
    shop.given_back(shop.paid[-1], 4_000)
    shop.work()
    history.quota("denied", 2)
    deny(shop.paid[-1])
    for name, steps in (("void", ()), ("void_late", ("send",))):
        shop.ask_back(history.quota(name, 2))
        shop.work()
        history.give_back(name, *steps)
        deny(shop.paid[-1])
    shop.refuse(history["void_late.refund"])
    paid = shop.pay(history.documents("recovered", 1))
    shop.work()
    deny(paid)
    shop.fail(history["recovered.0"])
    order = shop.place(1)  # part of the payment was taken back before the payment was notified
    history.keep_order("overtaken", order)
    shop.charge_back(Paid(history["overtaken.attempt"], "OVERTAKEN", 10_500), 4_000)
    history.quota("won", 2)
    deny(shop.paid[-1])
    shop.win(shop.paid[-1])
    shop.work()
    shop.ask_back(history.quota("reversed", 2))
    shop.work()
    shop.reverse(history.give_back("reversed", "send", "settle"), 6_000)
    shop.work()


def _told(history: History) -> None:
    shop = history.shop
    [row] = shop.rows("SELECT mail_id FROM mails WHERE account_id = %s LIMIT 1", shop.account)
    shop.call(mail_store.SENT, shop.account, row["mail_id"])
    history.names["mail"] = row["mail_id"]
    today = datetime.now(UTC).date()

    async def take() -> None:
        async with shop.container.database.transaction() as tx:
            await payment_store.insert_inbox(tx, "bank", "TOLD", today, b"{}")
            await payment_store.set_outcome(tx, "bank", "TOLD", today, "captured")

    shop.do(take())
