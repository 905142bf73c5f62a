"""A till whose bank makes transfers: refunds by transfer, and the periodic tasks of transfers, run now."""

from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

from meterai import payments
from meterai.payments import Refund, RefundPayee
from meterai.payments.transfers.service import TransferSender
from standins.bank.accounts import FLOAT_ACCOUNT
from tests.support.till import Till

ANI = RefundPayee("014", "1234567890", "BUDI SANTOSO")
HERE = RefundPayee("999", "9990000001", "RINA KARTIKA")
CLOSED = RefundPayee("014", "1000000009", "AGUS SALIM")
SETTINGS: dict[str, Any] = {
    "bank_source_account": FLOAT_ACCOUNT,
    "bank_code": "999",
    "transfer_small_rupiah": 1,
}


def run(till: Till, command: Callable[..., Coroutine[Any, Any, Any]], *arguments: object) -> Any:
    """Run a command of payments for the account of the till, in a transaction of its own."""

    async def within() -> Any:
        async with till.shop.container.database.transaction() as tx:
            return await command(tx, till.shop.account, *arguments)

    return till.do(within())


def to_an_account(till: Till, quantity: int = 1) -> UUID:
    """A refund that its buyer requested, and that goes by transfer or waits for an account."""
    order, _, qr = till.order(quantity)
    till.control("pay", qr_content=qr)
    till.ask()
    till.shop.ask_back(order)
    till.shop.work()
    refund: Refund = run(till, payments.reroute, till.shop.refunds()[-1])
    till.shop.work()
    return refund.id


def name(till: Till, payee: RefundPayee = ANI) -> None:
    """Name an account, as the buyer does."""
    run(till, payments.name_payee, payee)


def sender(till: Till) -> TransferSender:
    return till.shop.container.of(TransferSender)


def plan(till: Till) -> None:
    """Run the periodic task that plans transfers."""
    till.do(sender(till).plan())


def send(till: Till) -> None:
    """Run the periodic task that sends transfers."""
    till.shop.arrange("UPDATE transfers SET try_at = now(), leased_until = NULL")
    till.do(sender(till).send_due())
    till.shop.work()


def follow(till: Till) -> None:
    """Run the periodic task that looks up transfers at their bank."""
    till.shop.arrange("UPDATE transfers SET look_at = now() WHERE look_at IS NOT NULL")
    till.do(sender(till).follow())
    till.shop.work()


def weigh(till: Till) -> None:
    """Run the periodic task that asks for balances."""
    till.do(sender(till).weigh())


def transfers(till: Till) -> list[tuple[str, int, int]]:
    """(state, rupiah, tries) of each transfer, oldest first."""
    found = till.rows("SELECT state, amount, tries FROM transfers ORDER BY transfer_id")
    return [(row["state"], row["amount"], row["tries"]) for row in found]


def refunds(till: Till) -> list[tuple[str, str, int]]:
    """(way, state, rupiah) of each refund, oldest first."""
    found = till.rows("SELECT way, state, amount FROM refunds ORDER BY refund_id")
    return [(row["way"], row["state"], row["amount"]) for row in found]


def sent(till: Till) -> list[tuple[str, int]]:
    """(state, rupiah) of the transfers that the bank has, newest first."""
    return [(one["state"], one["amount"]) for one in till.do(till.bank.look("transfers"))]


def floating(till: Till, rupiah: int) -> None:
    """Set the balance of the float account."""
    balance = till.control("money", amount=0)["balance"]
    till.control("money", amount=rupiah - balance)
