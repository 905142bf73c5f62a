"""A shop: one account, and every command that moves its money or its stamps.

The commands are the SQL of the rooms (their `store`), and the event handlers are those of the worker. There is
no bank, no mail and no PDF. Time stands still unless a command moves it, so each effect of a periodic task is a
command of its own.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from meterai import ledger, orders, payments, stamps, trail
from meterai.accounts import AccountService
from meterai.apps.container import build_services
from meterai.apps.rooms import owners_of_tables, subscriptions_of
from meterai.apps.settings import settings_of as make_settings
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, show
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.ledger import MoneySummary
from meterai.orders import OrderKind, OrderService, SoldBy
from meterai.orders import store as order_store
from meterai.payments import store as payment_store
from meterai.payments.model import OpenedAttempt, PaymentQr
from meterai.payments.refunds import store as refund_store
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Row, jsonb
from meterai.plumbing.work import jobs
from meterai.plumbing.work.jobs import Worker
from meterai.refunds import RefundService
from meterai.refunds import store as refunds_of_orders
from meterai.room import Container
from meterai.sealing import Placement
from meterai.stamping import store as stamping_store
from meterai.stamps import NotEnoughStamps
from standins.bank import qris
from tests.support.audits import audit
from tests.support.keys import BANK_KEY, give_provider_key, public_pem_of
from tests.support.per_order import assert_each_order_is_explained

TESTER = Actor(ActorKind.OPERATOR, "test")  # acts as the operator
Answer = TypeVar("Answer")
PRICE = 10_000
FEE = 500
PLACEMENT = {"page": 1, "x": 100.0, "y": 100.0, "width": 80.0}
# A job may get this refusal and be tried again: its order was given up at the same moment.
PASSING = {NotEnoughStamps.code}
# Tables with rows that exist from the start.
_KEPT = {"applied_migrations", "issuing", "sign_up", "waiting_room_lines"}


def dead_bank(directory: Path) -> Settings:
    """Settings of a container whose bank never answers."""
    give_provider_key(directory)
    pem = directory / "bank.pub.pem"
    pem.write_bytes(public_pem_of(BANK_KEY))
    return make_settings(
        data=str(directory),
        bank_url="http://127.0.0.1:9",  # "discard" port: no server listens
        bank_public_key=str(pem),
        stamp_price=PRICE,
        service_fee=FEE,
        webhook_networks="127.0.0.0/8",
    )


@dataclass(frozen=True, slots=True)
class Paid:
    """One payment that a bank notified."""

    attempt: UUID
    number: str
    amount: int


@dataclass(slots=True)
class BankRecord:
    """The bank's own record of the money of each order, written by the test that acts for it."""

    captured: dict[tuple[UUID, str], tuple[UUID, int]] = field(default_factory=dict)
    taken_back: dict[tuple[UUID, str], int] = field(default_factory=dict)
    refunded: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)

    def of(self, order: UUID) -> dict[str, int]:
        """Sums of one order. A payment of which we do not know yet is not counted."""
        ours = {key: amount for key, (subject, amount) in self.captured.items() if subject == order}
        return {
            "captured": sum(ours.values()),
            "charged_back": sum(
                min(self.taken_back.get(key, 0), amount) for key, amount in ours.items()
            ),
            "refunded": sum(
                amount for subject, amount in self.refunded.values() if subject == order
            ),
        }


@dataclass(slots=True)
class Shop:
    """One account of one container."""

    container: Container
    runner: asyncio.Runner
    account: UUID = field(default_factory=new_id)
    placed: list[UUID] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    stampings: list[UUID] = field(default_factory=list)
    bank: BankRecord | None = None  # set if a test acts for the bank in everything
    # invariants that a test breaks because its clock is ahead
    not_asked: frozenset[str] = frozenset()
    _maker: SerialMaker = field(default_factory=lambda: SerialMaker(UNLEASED))
    _payments: int = 0

    @property
    def delta_hash(self) -> bytes:
        """SHA-256 of the delta that every stamping gets here."""
        return hashlib.sha256(b"delta").digest()

    # -- plumbing --------------------------------------------------------------------------

    def do(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run one coroutine to its end."""
        return self.runner.run(work)

    def call(self, query: str, *parameters: object) -> Row | None:
        """Run one statement in a transaction of its own; return its first row."""
        return self.do(self.container.database.call(query, *parameters))

    def rows(self, query: str, *parameters: object) -> list[Row]:
        """Run one statement; return every row."""
        return self.do(self.container.database.call_all(query, *parameters))

    def arrange(self, query: str, *parameters: object) -> None:
        """Run a statement as the owner of the tables."""
        with psycopg.connect(self.container.database.url) as owner:
            owner.execute(query.encode(), parameters or None)

    def watch(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query by the owner of the tables, for example about other sessions."""
        with psycopg.connect(self.container.database.url) as owner:
            return owner.execute(query.encode()).fetchall()

    def clear(self) -> None:
        """Empty the shop and begin with another account."""
        # The application may not delete history; the owner of the tables may.
        cleared = [f"DELETE FROM {table}" for table in owners_of_tables() if table not in _KEPT]
        self.arrange(
            "; ".join(
                (
                    "SET session_replication_role = replica",  # turns foreign keys off
                    *cleared,
                    "UPDATE issuing SET is_open = true, reason = ''",
                    "UPDATE sign_up SET is_open = true",
                )
            )
        )
        self.placed, self.paid, self.stampings, self._payments = [], [], [], 0
        self.bank = BankRecord() if self.bank else None
        self.not_asked = frozenset()
        self.account = self.do(
            self.container.of(AccountService).create(f"{new_id().hex}@example.id", actor=TESTER)
        )

    # -- orders ----------------------------------------------------------------------------

    def place(self, quantity: int, key: str | None = None) -> UUID:
        """Order stamps."""
        service, kind = self.container.of(OrderService), OrderKind.STAMPS
        key = key or secrets.token_hex(8)
        terms = self.do(service.terms(self.account, key, b"request", kind, quantity))
        row = self.call(order_store.PLACE, *terms.arguments())
        assert row is not None
        if row["created"]:
            self.placed.append(row["id"])
        return UUID(str(row["id"]))

    def place_documents(self, sizes: list[int], sold: SoldBy | None = None) -> UUID:
        """Order the stamps of documents; a size is the number of stamps of one document."""
        order = self.do(self._place_documents(sizes, sold))
        self.placed.append(order)
        self.stampings += [
            row["stamping_id"]
            for row in self.rows("SELECT stamping_id FROM stampings WHERE order_id = %s", order)
        ]
        return order

    async def _place_documents(self, sizes: list[int], sold: SoldBy | None) -> UUID:
        key, kind = secrets.token_hex(8), OrderKind.DOCUMENTS
        terms = await self.container.of(OrderService).terms(
            self.account, key, b"request", kind, sum(sizes), sold=sold
        )
        async with self.container.database.transaction() as tx:
            placed = await orders.place_documents(tx, terms)
            for position, size in enumerate(sizes, start=1):
                await stamping_store.insert_waiting(
                    tx,
                    self.account,
                    new_id(),
                    placed.id,
                    position,
                    request=b"request",
                    sha256=await self._document(),
                    placements=[Placement(1, 100.0, 100.0, 80.0)] * size,
                )
        return placed.id

    async def _document(self) -> bytes:
        sha256 = secrets.token_bytes(32)
        await self.container.database.call(
            "SELECT document_keep(%s, %s, 'surat.pdf', 1000, 1, now() + interval '1 day')",
            self.account,
            sha256,
        )
        return sha256

    def give_up(self, order: UUID, state: str) -> None:
        """End an unpaid order in this state: withdrawn or expired."""
        self.call(order_store.ABANDON, self.account, order, state)

    def execute(self, order: UUID) -> None:
        """Execute a paid order once more, as the periodic task does."""
        self.call(order_store.EXECUTE, self.account, order)

    def refund_overdue(self, order: UUID) -> None:
        """Refund a paid order that is past its due time, as the periodic task does."""
        self.call(refunds_of_orders.NOT_EXECUTED, self.account, order, *self.refund_terms())

    def refund_terms(self) -> tuple[object, ...]:
        """Id, number and due time of a new refund."""
        refund = new_id()
        number = payments.refund_number(self.account, refund)
        return refund, number, self.container.of(RefundService).due()

    def set_issuing(self, *, is_open: bool) -> None:
        """Open or stop issuing, as the operator does."""
        self.do(self._set_issuing(is_open=is_open))

    async def _set_issuing(self, *, is_open: bool) -> None:
        async with self.container.database.transaction() as tx:
            await stamps.set_issuing(
                tx, is_open=is_open, reason="" if is_open else "a test", actor=TESTER
            )

    def state(self, order: UUID) -> str:
        """The state of an order."""
        row = self.call("SELECT state FROM orders WHERE order_id = %s", order)
        assert row is not None
        return str(row["state"])

    # -- payments --------------------------------------------------------------------------

    def attempts(self, order: UUID) -> list[UUID]:
        """Attempts to pay an order, oldest first."""
        return [
            row["attempt_id"]
            for row in self.rows(
                "SELECT attempt_id FROM payment_attempts WHERE subject = %s ORDER BY attempt_id",
                order,
            )
        ]

    def make_qr(self, attempt: UUID) -> None:
        """Record that the bank made the QR."""
        number = attempt.hex[-20:]
        [row] = self.rows("SELECT amount FROM payment_attempts WHERE attempt_id = %s", attempt)
        content = qris.payload(qris.DynamicQr(row["amount"], number, "METERAI", "METERAI", "T1"))
        made = payment_store.opened(OpenedAttempt(PaymentQr(content), number))
        self.call(payment_store.OPENED, *made, 60.0, self.account, attempt)

    def lose_qr(self, attempt: UUID) -> None:
        """Give up a QR of which it is unknown whether the bank made it. A new attempt replaces it."""
        successor, reference = payments.new_attempt(self.account)
        self.call(
            payment_store.REPLACE,
            *(self.account, attempt, successor, "bank", "qris", reference, 0.0, 10),
        )

    def pay(self, order: UUID, more: int = 0, attempt: UUID | None = None) -> Paid:
        """Notify a payment as the bank does: the total of the order plus `more`, which may be negative."""
        row = self.call("SELECT total FROM orders WHERE order_id = %s", order)
        assert row is not None
        self._payments += 1
        paid = Paid(
            attempt or self.attempts(order)[-1], f"P{self._payments:06}", row["total"] + more
        )
        self.tell(paid)
        self.paid.append(paid)
        return paid

    def tell(self, paid: Paid) -> str:
        """Notify a payment as the bank does, possibly once more."""
        return self.do(self.telling(paid))

    async def telling(self, paid: Paid, how: str = "notification") -> str:
        """As `tell`, to be run concurrently with other commands."""
        database = self.container.database
        row = await database.call(
            payment_store.CAPTURE, self.account, paid.attempt, paid.number, paid.amount, how
        )
        assert row is not None
        if row["outcome"] == "contradicts":
            return await self.telling(paid, "question")  # a status query to the bank confirms it
        if self.bank and row["outcome"] == "captured":
            [of] = await database.call_all(
                "SELECT subject FROM payment_attempts WHERE attempt_id = %s", paid.attempt
            )
            self.bank.captured[paid.attempt, paid.number] = of["subject"], paid.amount
        return str(row["outcome"])

    def charge_back(self, paid: Paid, amount: int | None = None, *, named: bool = True) -> str:
        """The payer's bank takes a payment back.

        `amount` is the sum taken back so far; by default the whole payment. The payment may be unknown to us.
        """
        return self.do(self.charging_back(paid, amount, named=named))

    async def charging_back(
        self, paid: Paid, amount: int | None = None, *, named: bool = True
    ) -> str:
        """As `charge_back`, to be run concurrently with other commands."""
        taken = paid.amount if amount is None else amount
        row = await self.container.database.call(
            payment_store.CHARGE_BACK,
            self.account,
            paid.attempt,
            paid.number if named else None,
            taken,
        )
        assert row is not None
        if self.bank and row["outcome"] in ("denied", "early"):
            key = (paid.attempt, paid.number)
            self.bank.taken_back[key] = max(self.bank.taken_back.get(key, 0), taken)
        return str(row["outcome"])

    def win(self, paid: Paid) -> None:
        """The bank answers that a payment is paid, although the payer's bank had taken all of it back."""
        after = datetime.now(UTC) + timedelta(seconds=1)
        self.call(payment_store.CONFIRM, self.account, paid.attempt, paid.number, after)
        if self.bank:
            key = (paid.attempt, paid.number)
            if self.bank.taken_back.get(key, 0) >= paid.amount:
                self.bank.taken_back[key] = 0

    def given_back(self, paid: Paid, amount: int) -> None:
        """The bank returns money of a payment without our refund. `amount` is the sum so far."""
        self.call(refund_store.GIVEN_BACK, self.account, paid.attempt, paid.number, amount, [])

    def decline(self, attempt: UUID) -> str:
        """The payer's bank declined the payment, or took back the only payment without naming it."""
        row = self.call(payment_store.CHARGE_BACK, self.account, attempt, None, None)
        assert row is not None
        if self.bank and row["outcome"] == "denied":
            [key] = [
                key
                for key, (_, amount) in self.bank.captured.items()
                if key[0] == attempt and self.bank.taken_back.get(key, 0) < amount
            ]
            self.bank.taken_back[key] = self.bank.captured[key][1]
        return str(row["outcome"])

    # -- stampings -------------------------------------------------------------------------

    def reserve(self, count: int, key: str | None = None) -> UUID | None:
        """Reserve stamps for one document from the balance; None if the balance is too small."""
        row = self.do(self.reserving(count, key))
        if row is None:
            return None
        if row["created"]:
            self.stampings.append(row["id"])
        return UUID(str(row["id"]))

    async def reserving(self, count: int, key: str | None = None) -> Row | None:
        """As `reserve`, to be run concurrently with other commands."""
        try:
            return await self.container.database.call(
                stamping_store.RESERVE,
                self.account,
                new_id(),
                key or secrets.token_hex(8),
                secrets.token_bytes(32),
                await self._document(),
                jsonb([PLACEMENT] * count),
                self.fresh_serials(count),
                900.0,
                60.0,
                *(None, None, None, None),  # the document has its row already
                False,
            )
        except NotEnoughStamps:
            return None

    def fresh_serials(self, count: int) -> list[str]:
        """New serials that are not in use."""
        return [self._maker.make().text for _ in range(count)]

    def deliver(self, stamping: UUID) -> str:
        """Record the sealed document as delivered."""
        row = self.call(
            stamping_store.DELIVER,
            self.account,
            stamping,
            b"delta",
            self.delta_hash,
            b"s" * 32,
        )
        return str(row["state"]) if row else ""

    def fail(self, stamping: UUID) -> str:
        """Record that the document cannot be stamped."""
        row = self.call(stamping_store.FAIL, self.account, stamping, "document_broken")
        return str(row["state"]) if row else ""

    # -- refunds ---------------------------------------------------------------------------

    def refunds(self) -> list[UUID]:
        """Every refund, oldest first."""
        return [
            row["refund_id"]
            for row in self.rows("SELECT refund_id FROM refunds ORDER BY refund_id")
        ]

    def ask_back(self, order: UUID) -> int:
        """Request a refund of unused stamps, as the buyer does. Return the number of stamps."""
        return self.do(self.asking_back(order))

    async def asking_back(self, order: UUID) -> int:
        """As `ask_back`, to be run concurrently with other commands."""
        refund = new_id()
        async with self.container.database.transaction() as tx:
            found = await refunds_of_orders.ask(
                tx,
                self.account,
                order,
                refund,
                number=payments.refund_number(self.account, refund),
                due_at=self.container.of(RefundService).due(),
                key=str(refund),
                request=hashlib.sha256(order.bytes).digest(),
            )
            given = found.given if found is not None else 0
            if given:
                await trail.record(
                    tx,
                    self.account,
                    actor=Actor(ActorKind.ACCOUNT),
                    action="refund_asked",
                    subject=show("ord", order),
                    stamps=given,
                )
            return given

    def send(self, refund: UUID) -> None:
        """Record the intent to call the bank."""
        self.call(
            "UPDATE refunds SET state = 'sent', tries = tries + 1"
            " WHERE refund_id = %s AND refund_is_open(state)",
            refund,
        )

    def settle(self, refund: UUID) -> None:
        """The bank has executed a refund that was sent before."""
        row = self.call("SELECT state FROM refunds WHERE refund_id = %s", refund)
        if row and row["state"] == "sent":
            self.settle_whatever(refund)

    def settle_whatever(self, refund: UUID) -> str:
        """The bank has executed a refund, in whatever state we have it."""
        [row] = self.rows("SELECT order_id, amount FROM refunds WHERE refund_id = %s", refund)
        settled = self.call(refund_store.SETTLE, self.account, refund, f"BANK{refund.hex}")
        assert settled is not None
        if self.bank and settled["state"] == "settled":
            self.bank.refunded[refund] = row["order_id"], row["amount"]
        return str(settled["state"])

    def reverse(self, refund: UUID, made: int = 0) -> None:
        """The bank's record shows that only `made` rupiah of a refund reached the buyer."""
        row = self.call(refund_store.REVERSED, self.account, refund, made)
        assert row is not None
        if self.bank and row["refund_reversed"]:
            self.bank.refunded[refund] = self.bank.refunded[refund][0], made

    def refuse(self, refund: UUID) -> None:
        """The bank refuses a refund: permanently if the payer's bank has taken the payment back."""
        row = self.call(refund_store.VOID, self.account, refund)
        assert row is not None
        if row["state"] != "void":
            self.call(refund_store.ANSWERED, "refused", "4057801 no", 1.0, self.account, refund)

    # -- the worker ------------------------------------------------------------------------

    def worker(self, *, concurrency: int = 1) -> Worker:
        """A worker with the event handlers of the real one."""
        return Worker(
            self.container.database,
            subscriptions_of(),
            [],
            services=self.container.services(),
            concurrency=concurrency,
        )

    def work(self) -> None:
        """Run all due jobs, and the jobs that they cause, until no job is due."""
        worker = self.worker()
        while self.do(worker.run_batch()):
            pass
        self.assert_no_fault()

    def work_once(self) -> None:
        """Run the oldest job only: one handler of one event."""
        kept, jobs.BATCH = jobs.BATCH, 1
        try:
            self.do(self.worker().run_batch())
        finally:
            jobs.BATCH = kept
        self.assert_no_fault()

    def postpone(self, index: int) -> None:
        """Postpone a job, as if a worker that died still held its lease. Other jobs run first."""
        waiting = self.rows("SELECT job_id FROM jobs WHERE run_at <= now() ORDER BY run_at")
        if waiting:
            self.call(
                "UPDATE jobs SET run_at = now() + interval '5 minutes' WHERE job_id = %s",
                waiting[index % len(waiting)]["job_id"],
            )

    def overtake(self, index: int = 0) -> None:
        """Run a later job before an earlier one."""
        self.postpone(index)
        self.work_once()

    def work_off(self) -> None:
        """Run every job, also those that were postponed or must be tried again."""
        for _ in range(20):
            self.call("UPDATE jobs SET run_at = now()")
            self.work()
            if not self.rows("SELECT 1 FROM jobs"):
                return
        raise AssertionError(self.rows("SELECT kind, tries, last_fault FROM jobs"))

    def assert_no_fault(self) -> None:
        """Check that no job met a fault. Some refusals are allowed."""
        found = self.rows(
            "SELECT kind, facts, last_fault FROM jobs"
            " WHERE last_fault IS NOT NULL AND NOT last_fault = ANY(%s)",
            list(PASSING),
        )
        assert not found, found

    # -- what must be true -----------------------------------------------------------------

    def assert_books_hold(self) -> None:
        """Check every invariant of `meterai audit`, and every rupiah of every order."""
        found = self.do(audit(self.container.database))
        broken = [one for one in found.findings if not one.holds]
        assert not [one for one in broken if one.invariant.name not in self.not_asked], broken
        assert_each_order_is_explained(self.rows)
        if self.bank:
            self.assert_the_bank_agrees(self.bank)

    def assert_the_bank_agrees(self, record: BankRecord) -> None:
        """Check that the money in the API equals the bank's record: now, or once all jobs have run."""
        is_at_rest = not self.rows("SELECT 1 FROM jobs")
        for order, shown in self.do(self._money_summaries()).items():
            bank = record.of(order)
            assert shown.captured.value == bank["captured"]
            assert shown.refunded.value == bank["refunded"]
            assert shown.charged_back.value <= bank["charged_back"]
            if is_at_rest:
                assert shown.charged_back.value == bank["charged_back"]
            assert shown.captured.value - shown.charged_back.value + shown.loss.value == (
                shown.executed.value + shown.refunded.value + shown.in_flight.value
            )
            assert min(shown.executed, shown.in_flight, shown.loss).value >= 0

    def money(self, order: UUID) -> dict[str, int]:
        """The money of one order by its place, as the API shows it, without zeros."""
        found = self.do(self._money_summaries())[order]
        names = ("captured", "charged_back", "executed", "refunded", "in_flight", "loss")
        return {name: getattr(found, name).value for name in names if getattr(found, name).value}

    async def _money_summaries(self) -> dict[UUID, MoneySummary]:
        async with self.container.database.transaction() as tx:
            return await ledger.money_summaries(tx, self.account, self.placed)

    def balance(self) -> stamps.StampBalance:
        """Stamps of the account."""
        return self.do(self._balance())

    async def _balance(self) -> stamps.StampBalance:
        async with self.container.database.transaction() as tx:
            return await stamps.balance(tx, self.account)

    def in_flight(self) -> int:
        """Rupiah that are neither executed nor refunded."""
        row = self.call(
            "SELECT coalesce(sum(posted), 0)::bigint AS posted FROM balances"
            " WHERE book IN ('buyer_funds', 'refunds_payable')"
        )
        assert row is not None
        return int(row["posted"])


@contextmanager
def open_shop(database_url: str, directory: Path, *, is_new: bool = True) -> Iterator[Shop]:
    """A shop on a migrated database of its own. With `is_new` false, a second shop on the same data."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        # A test need not survive a power failure.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off".encode())
    values = {"database_url": database_url}
    with asyncio.Runner() as runner:
        opened = build_services(dead_bank(directory).replaced(**values))
        container = runner.run(opened.__aenter__())
        try:
            shop = Shop(container, runner)
            if is_new:
                shop.clear()
            yield shop
        finally:
            runner.run(opened.__aexit__(None, None, None))
