"""Acts of customers and their banks: pay, deny, charge back; and scheduled acts. Every act changes the store and adds its
notification in one transaction, so the merchant is notified of everything that happened, also after a restart.
"""

from collections.abc import Callable

from standins import clock
from standins.faults import Faults
from standins.midtrans.model import ISSUERS, Kind, Movement, Status, Transaction, new_uuid
from standins.midtrans.saying import OTHERWISE, Facts, Merchant, news_of, signed, to_json
from standins.midtrans.store import Store
from standins.refusal import NotFound, NotUnderstood, Refusal

REORDER_MS = 2_000  # delay of a notification that is sent out of order
FORGERS_KEY = "SB-Mid-server-FORGED"


class UnknownTransaction(NotFound):
    """No transaction has this id, order id, QR or virtual account."""

    code = "unknown_transaction"


class NotPayable(Refusal):
    """The transaction was paid, cancelled or denied, or has expired."""

    code = "not_payable"


class NothingLeft(Refusal):
    """The transaction has no payment, or too little of it is left."""

    code = "nothing_left"


class Customers:
    """All customers of all banks.  `wake` is called when a notification or a chargeback is due."""

    def __init__(
        self, store: Store, faults: Faults, merchant: Merchant, wake: Callable[[], None]
    ) -> None:
        self._store = store
        self._faults = faults
        self.merchant = merchant
        self._wake = wake

    def find(self, name: str) -> Transaction:
        """Find a transaction by id, order id, QR or virtual account.  Refuses `UnknownTransaction`."""
        found = self._store.find(name.strip())
        if found is None:
            raise UnknownTransaction("no such transaction exists")
        return found

    def pay(self, charge: Transaction, issuer: str = "", *, is_late: bool = False) -> None:
        """Pay a transaction by an app of the acquirer's group, or of another issuer (the payer's bank). A late payment was
        under way when the transaction ended. Refuses `NotPayable`.
        """
        status = charge.status(clock.now_ms())
        is_ended = status in (Status.EXPIRE, Status.CANCEL)
        if status is not Status.PENDING and not (is_late and is_ended):
            raise NotPayable(f"it is {status}")
        after = self._faults.seconds_or_never("deny_after_settlement_seconds")
        charge.deny_at = None if after is None else clock.now_ms() + round(after * 1000)
        if charge.payment_type == "qris":
            charge.issuer = issuer or ISSUERS[charge.channel]
        self.move(charge, Kind.SETTLEMENT, charge.amount)

    def close(self, charge: Transaction, closing: Status) -> None:
        """Close a pending transaction: cancelled or expired by the merchant, or denied. Refuses `NotPayable`."""
        if charge.status(clock.now_ms()) is not Status.PENDING:
            raise NotPayable("the transaction is not pending")
        charge.closing = closing
        self.tell(charge)

    def move(
        self, charge: Transaction, kind: Kind, amount: int, key: str = "", reason: str = ""
    ) -> None:
        """Add a movement of money, by any party.  Refuses `NothingLeft`."""
        if amount <= 0 or (not kind.is_in and amount > charge.left):
            raise NothingLeft("nothing was paid, or less of it is left")
        uuid = "" if kind.is_in else new_uuid()
        charge.movements += (Movement(kind, amount, clock.now_ms(), uuid, key, reason),)
        self.tell(charge)

    def say(self, charge: Transaction, status: str | None) -> None:
        """Make answers show this status instead of the true one; None restores the true one. Refuses `NotUnderstood`."""
        try:
            charge.said = None if status is None else Status(status)
        except ValueError:
            raise NotUnderstood("no such status") from None
        self._store.keep(charge)

    def tell(self, charge: Transaction) -> None:
        """Store a changed charge, and add the notification of its status, changed by the switches."""
        now, take = clock.now_ms(), self._faults.take
        status = charge.status(now)
        said = OTHERWISE.get(status, Status.SETTLEMENT) if take("news_differs") else status
        told = news_of(charge, said, self.merchant, self._faults)
        at = now + round(self._faults.seconds("notification_delay_seconds") * 1000)
        later = at + (REORDER_MS if take("reorder_notifications") else 0)
        state = "dropped" if take("drop_notifications") else "waiting"
        copies = 2 if take("double_notifications") else 1
        with self._store.transaction():
            self._store.keep(charge)
            if take("forge_notifications"):
                settled = told | {"transaction_status": Status.SETTLEMENT, "status_code": "200"}
                self._add(charge, signed(settled, FORGERS_KEY), at)
            self._add(charge, told, later, copies, state)
            if take("replay_notifications"):
                other = Status.REFUND if said is Status.SETTLEMENT else Status.SETTLEMENT
                self._add(charge, told | {"transaction_status": other}, at)
        self._wake()

    def send(self, charge: Transaction, body: Facts | str, *, is_signed: bool) -> None:
        """Send any body about a transaction, which need not be JSON."""
        if isinstance(body, dict):
            told = to_json(signed(body, self.merchant.server_key) if is_signed else body)
        else:
            told = body.encode()
        self._store.add_news(charge.transaction_id, told, clock.now_ms())
        self._wake()

    def _add(
        self, charge: Transaction, told: Facts, at: int, copies: int = 1, state: str = "waiting"
    ) -> None:
        self._store.add_news(charge.transaction_id, to_json(told), at, copies, state)

    def happen(self) -> float | None:
        """Make due chargebacks of a fault, and notify expired transactions. Return the seconds until the next, or None."""
        for charge in self._store.happening(clock.now_ms()):
            if charge.settled_at is None:
                charge.is_end_told = True
                self.tell(charge)
                continue
            charge.deny_at = None
            if charge.left:
                self.move(charge, Kind.DENY, charge.left)
            else:  # the merchant refunded the payment before
                self._store.keep(charge)
        due = self._store.next_happening()
        return None if due is None else max(0, due - clock.now_ms()) / 1000
