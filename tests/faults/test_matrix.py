"""Every write at a provider, in each way in which it can fail.

After each failure the service restarts. At the end the audit holds, and the record of the day equals the books.
The writes are derived from the protocols of rails, so that a new one fails this test until it has its line in
`SERVICES`. Each is made for stamps and for a deposit. The writes of a rail whose provider is our own database
fail with its commits (`test_commits`).
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from meterai import payments
from meterai.accounts import AccountService, OrganizationService
from meterai.apps.rooms import RAILS
from meterai.distribution import levers
from meterai.kit.ids import new_id, show
from meterai.payments import PaymentService, RefundSender
from meterai.payments.model import OutcomeUnknown, ProviderRefused, ProviderUnreachable
from meterai.payments.rails import Payouts, Rail
from meterai.payments.transfers.service import TransferSender
from meterai.reconciliation import Reconciliation
from meterai.room import Container
from tests.support.audits import audit
from tests.support.banks import Banks, open_banks
from tests.support.depot import SELLER, pulled
from tests.support.midtrans import Kiosk, kiosk
from tests.support.records import TESTER, At, night, today
from tests.support.shop import PRICE
from tests.support.transferring import ANI, SETTINGS

# Methods of the protocols that change nothing at a provider.
READS = {"ask", "refunded", "refunds_of", "history", "notification", "transferred", "balance"}
TRANSFER = "transfer"  # stands for the method if money is sent to an account
ROUNDS_MAX = 8
Write = tuple[str, str, str]  # the rail, the method, and the call


class Fault(StrEnum):
    """The failure of a write."""

    FAILED = "failed"  # the provider did nothing, and says so
    STORED = "stored"  # the provider did it, and does not answer
    REFUSED = "refused and stored"  # the provider did it, and answers with a refusal
    CONTRADICTED = (
        "contradicted"  # the provider answers that it is done, and its record says otherwise
    )


class Ordered(StrEnum):
    """The object of an order."""

    STAMPS = "stamps"
    DEPOSIT = "deposit"


def _calls(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")} - READS


def writes() -> set[Write]:
    """Every write of every rail with an outside provider, by each of its methods."""
    found: set[Write] = set()
    for kind in RAILS:
        if kind.is_own:
            continue
        for method in kind.methods:
            gives_back = kind.gives_back is None or method.name in kind.gives_back
            calls = _calls(Rail) - (set() if gives_back else {"refund"})
            found |= {(kind.name, method.name, call) for call in calls}
        if kind.name == "bank":
            found |= {(kind.name, TRANSFER, call) for call in _calls(Payouts)}
    return found


# The service of a stand-in that a write calls.
SERVICES: Mapping[Write, str] = {
    ("bank", "qris", "open"): "generate",
    ("bank", "qris", "cancel"): "cancel",
    ("bank", "qris", "refund"): "refund",
    ("bank", "va", "open"): "va-create",
    ("bank", "va", "cancel"): "va-delete",
    ("bank", TRANSFER, "account_name"): "account-external",
    ("bank", TRANSFER, "transfer"): "transfer-external",
    ("midtrans", "qris", "open"): "charge",
    ("midtrans", "qris", "cancel"): "cancel",
    ("midtrans", "qris", "refund"): "refund",
    ("midtrans", "va", "open"): "charge",
    ("midtrans", "va", "cancel"): "cancel",
}


def test_every_write_of_every_rail_is_tested_with_faults() -> None:
    assert writes() == set(SERVICES)


# -- one provider, of any kind -----------------------------------------------------------------


@dataclass
class Counter:
    """One provider, its application and its buyers."""

    rail: str
    place: Banks | Kiosk
    ordered: Ordered = Ordered.STAMPS

    async def opens(self) -> None:
        """Make the distributor if a deposit is ordered."""
        if self.ordered is Ordered.STAMPS:
            return
        account, place = new_id(), self.place
        organizations = self.container.of(OrganizationService)
        await organizations.make(account, place.account, "PT Toko", "", "")
        agreed = levers.DistributorTerms(show("acc", account), SELLER, 1_000, "Jawa Barat")
        await pulled(self.container, levers.APPROVE, agreed)
        accounts = self.container.of(AccountService)
        place.key = await accounts.create_api_key(account, "test", actor=TESTER)
        place.account = account

    @property
    def container(self) -> Container:
        return self.place.web.container

    async def order(self, method: str) -> Any:
        """Place an order."""
        if self.ordered is Ordered.DEPOSIT:
            content = {"rupiah": PRICE, "payment_method": method}
            given = await self.place.asked("/v1/deposits", content)
            assert given.status == 201, given.body
            return json.loads(given.body)
        if isinstance(self.place, Banks):
            return await self.place.order(payment_method=method)
        return await self.place.order(method=method)

    async def ask_back(self, order: Any) -> str:
        """Request the refund of an order or of a deposit, and return the number of the refund."""
        if self.ordered is Ordered.DEPOSIT:
            asked = levers.DepositAsked(show("acc", self.place.account), PRICE)
            await pulled(self.container, levers.REFUND, asked)
            [found] = await self.place.rows(
                "SELECT refund_no FROM refunds ORDER BY refund_id DESC LIMIT 1"
            )
            return str(found["refund_no"])
        given = await self.place.asked("/v1/refunds", {"order_id": order["id"]})
        assert given.status in (200, 201), given.body
        return str(json.loads(given.body)["refund_number"])

    async def shown(self, order: Any) -> Any:
        return await self.place.shown(order)

    async def pay(self, order: Any) -> None:
        """Pay by the shown instructions, even if they must not be paid any more."""
        if isinstance(self.place, Kiosk):
            await self.place.pay(order)
            return
        if qr := order["payment"]["qr_content"]:
            status, said = await self.place.control("bank", "pay", qr_content=qr)
        else:
            number = order["payment"]["instructions"]["number"]
            status, said = await self.place.pay("bank", number, ask=False)
        assert status == 200, said

    async def answers(self, service: str, *answers: Mapping[str, object]) -> None:
        """Set the answers to the next calls of a service."""
        if isinstance(self.place, Banks):
            told = {"service": service, "answers": list(answers)}
            assert (await self.place.control("bank", "answers", **told))[0] == 200
        else:
            await self.place.answers(service, *map(dict, answers))

    async def strike(self, service: str, fault: Fault) -> None:
        """Let the next call of a service fail in this way."""
        refused = {"status_code": "418", "status_message": "no"}
        of_midtrans: Mapping[Fault, Mapping[str, object]] = {
            Fault.FAILED: {"act": False, "status": 500, "body": "{}"},
            Fault.REFUSED: {"body": json.dumps(refused)},
        }
        of_snap: Mapping[Fault, Mapping[str, object]] = {
            Fault.FAILED: {"act": False, "code": "50000"},
            Fault.REFUSED: {"code": "40501"},
        }
        answers = of_midtrans if self.rail == "midtrans" else of_snap
        await self.answers(service, answers.get(fault, {"hang_up": True}))

    async def rounds(self) -> None:
        """Run every periodic task of payments and refunds, until a round changes nothing."""
        of = self.container.of
        paying, refunds, transfers = of(PaymentService), of(RefundSender), of(TransferSender)
        before: object = None
        for _ in range(ROUNDS_MAX):
            self.place.arrange(
                "UPDATE payment_attempts SET leased_until = now() WHERE state = 'opening';"
                " UPDATE payment_attempts SET ask_at = now()"
                " WHERE state <> 'opening' AND ask_at < 'infinity';"
                " UPDATE payment_attempts SET cancel_at = now() WHERE cancel_at < 'infinity';"
                " UPDATE refunds SET try_at = now(), leased_until = NULL"
                " WHERE state <> 'settled' AND try_at < 'infinity';"
                " UPDATE refunds SET look_at = now() WHERE look_at IS NOT NULL;"
                " UPDATE transfers SET try_at = now(), leased_until = NULL WHERE try_at < 'infinity';"
                " UPDATE transfers SET look_at = now() WHERE look_at IS NOT NULL;"
                " UPDATE chargebacks SET look_at = now() WHERE look_at < 'infinity'"
            )
            for task in (
                *(paying.open_waiting, paying.poll_waiting, paying.cancel_closed),
                *(refunds.send_due, refunds.look_up_given_back, refunds.watch),
                *(transfers.weigh, transfers.plan, transfers.send_due, transfers.follow),
            ):
                await task()
                await self.place.work()
            now = await self.place.rows(
                "SELECT (SELECT count(*) FROM entries) AS entries,"
                " (SELECT string_agg(state, ',' ORDER BY attempt_id) FROM payment_attempts) AS attempts,"
                " (SELECT string_agg(state, ',' ORDER BY refund_id) FROM refunds) AS refunds,"
                " (SELECT string_agg(state, ',' ORDER BY transfer_id) FROM transfers) AS transfers"
            )
            if now == before:
                return
            before = now
        raise AssertionError(f"it does not come to rest: {before}")

    async def held(self) -> int:
        """Rupiah that the provider holds for us, by its own accounting."""
        if isinstance(self.place, Banks):
            return int((await self.place.look("bank", "accounts"))["kept"])
        async with self.place.http.get(f"{self.place.url}/standin/payments") as answer:
            return sum(one["left"] for one in await answer.json())

    async def compare(self, folder: Path) -> list[tuple[str, int | None]]:
        """Compare the record of the day with the books. Return kind and difference of each break, except for fees."""
        files: list[Path] = []
        if isinstance(self.place, Kiosk):
            url = f"{self.place.url}/standin/files/{today()}/midtrans.csv"
            files = [folder / "midtrans.csv"]
            async with self.place.http.get(url) as answer:
                files[0].write_bytes(await answer.read())
        within = self.container
        payments = within.of(PaymentService)
        at = At(night())
        service = Reconciliation(within.database, payments, within.objects, within.settings, at)
        found = await service.reconcile(self.rail, today(), files, TESTER)
        assert found.state == "final"
        assert found.unreadable == 0
        await self.place.work()
        items = await self.place.rows(
            "SELECT reason, difference FROM suspense_items WHERE state = 'open'"
            " AND reason NOT IN ('fee_not_booked', 'tax_not_booked') ORDER BY reason"
        )
        return [(one["reason"], one["difference"]) for one in items]

    async def book(self, book: str) -> int:
        [row] = await self.place.rows(
            "SELECT coalesce(sum(credit - debit), 0)::bigint AS sum FROM legs WHERE book = %s", book
        )
        return int(row["sum"])

    async def is_equal(self, folder: Path, breaks: list[tuple[str, int | None]]) -> None:
        """Check that the record equals the books except for these breaks, and that the audit holds afterwards."""
        assert await self.compare(folder) == breaks
        found = await audit(self.container.database)
        assert found.holds, [one for one in found.findings if not one.holds]
        differs = sum(difference or 0 for _, difference in breaks)
        assert await self.held() == -await self.book("bank_clearing") + differs
        assert await self.book("suspense") == 0


def counter_of(
    rail: str, database_url: str, folder: Path
) -> AbstractAsyncContextManager[Banks | Kiosk]:
    if rail == "midtrans":
        return kiosk(database_url, folder)
    return open_banks(database_url, folder, rails="bank")


# -- the scenarios -----------------------------------------------------------------------------


async def open_fails(counter: Counter, write: Write, fault: Fault) -> Any:
    """An order whose instructions are not made, or not known to be made; then it is paid."""
    service = SERVICES[write]
    if fault is Fault.CONTRADICTED:
        order = await counter.order(write[1])
        # The provider's answer does not have, or has given up, the instructions that the buyer holds.
        if isinstance(counter.place, Kiosk):
            await counter.place.act("say", order, status="expire")
            await counter.rounds()
            await counter.place.act("say", order, status=None)
        elif write[1] == "qris":
            failed = {"latestTransactionStatus": "06"}
            await counter.answers("query", {"merge": failed})
            await counter.rounds()
        else:
            await counter.answers("va-status", {"code": "40412"})
            await counter.rounds()
    else:
        await counter.strike(service, fault)
        order = await counter.order(write[1])
        await counter.place.restart()
        await counter.rounds()
        order = await counter.shown(order)
    await counter.pay(order)
    return order, "executed"


async def cancel_fails(counter: Counter, write: Write, fault: Fault) -> Any:
    """An order that is withdrawn. If it is paid nevertheless, its money is refunded."""
    order = await counter.order(write[1])
    service = SERVICES[write]
    if fault is Fault.CONTRADICTED:
        told = {"transaction_status": "cancel"} if counter.rail == "midtrans" else {}
        await counter.answers(service, {"act": False, "merge": told})
    else:
        await counter.strike(service, fault)
    assert (await counter.place.asked(f"/v1/orders/{order['id']}/withdraw")).status == 200
    await counter.place.restart()
    if fault is Fault.CONTRADICTED:
        await counter.rounds()
        await counter.pay(order)
    return order, "withdrawn"


async def refund_fails(counter: Counter, write: Write, fault: Fault) -> Any:
    """An order that is refunded."""
    order = await counter.order(write[1])
    await counter.pay(order)
    await counter.rounds()
    assert (await counter.shown(order))["state"] == "executed"
    service = SERVICES[write]
    number = await counter.ask_back(order)
    if fault is not Fault.CONTRADICTED:
        await counter.strike(service, fault)
    await counter.container.of(RefundSender).send_due()
    await counter.place.restart()
    await counter.rounds()
    if fault is Fault.CONTRADICTED and isinstance(counter.place, Banks):
        told = {"partner_refund_no": number}
        assert (await counter.place.control("bank", "reverse-refund", **told))[0] == 200
    return order, "returned"


STORIES = {"open": open_fails, "cancel": cancel_fails, "refund": refund_fails}


@pytest.mark.sample(1)
@pytest.mark.parametrize("ordered", Ordered)
@pytest.mark.parametrize("write", [one for one in SERVICES if one[1] != TRANSFER], ids="-".join)
def test_failed_write_leaves_books_equal_to_the_record(
    database_url: str, tmp_path: Path, write: Write, ordered: Ordered
) -> None:
    async def run() -> None:
        async with counter_of(write[0], database_url, tmp_path) as place:
            counter = Counter(write[0], place, ordered)
            await counter.opens()
            for fault in Fault:
                order, state = await STORIES[write[2]](counter, write, fault)
                await counter.rounds()
                shown = await counter.shown(order)
                assert shown["state"] == state, (fault, shown)
            await counter.is_equal(tmp_path, [])

    asyncio.run(run())


# -- money to an account -----------------------------------------------------------------------

NO_ANSWER = (OutcomeUnknown, ProviderRefused, ProviderUnreachable)


async def named(counter: Counter) -> None:
    """The buyer names a bank account."""
    account = counter.place.account
    await counter.container.database.run(lambda tx: payments.name_payee(tx, account, ANI))


async def transfer_fails(counter: Counter, fault: Fault) -> Any:
    """An order whose refund needs a bank account. The account is named, and its bank fails."""
    order = await counter.order("va")
    await counter.pay(order)
    await counter.rounds()
    asked = await counter.place.asked("/v1/refunds", {"order_id": order["id"]})
    assert asked.status in (200, 201), asked.body
    await counter.rounds()  # we learn that the rail makes no refunds
    service = counter.container.of(PaymentService)
    there = (ANI.bank_code, ANI.account_no)
    if fault is not Fault.CONTRADICTED:
        for call in _calls(Payouts):
            await counter.strike(SERVICES["bank", TRANSFER, call], fault)
        with pytest.raises(NO_ANSWER):
            await service.account_holder(*there)
    assert await service.account_holder(*there) == ANI.holder
    await named(counter)
    transfers = counter.container.of(TransferSender)
    for task in (transfers.weigh, transfers.plan, transfers.send_due):
        await task()
    await counter.place.restart()
    await counter.rounds()
    if fault is Fault.CONTRADICTED:
        assert (await counter.shown(order))["state"] == "returned"
        [number] = await counter.place.rows(
            "SELECT transfer_no AS number FROM transfers ORDER BY planned_at DESC LIMIT 1"
        )
        assert isinstance(counter.place, Banks)
        told = await counter.place.control("bank", "transfer-returned", **number)
        assert told[0] == 200, told
    return order


def test_failed_transfer_leaves_books_equal_to_the_record(
    database_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with open_banks(database_url, tmp_path, rails="bank", **SETTINGS) as place:
            counter = Counter("bank", place)
            orders = [await transfer_fails(counter, fault) for fault in Fault]
            await counter.rounds()  # we learn that one transfer came back
            await named(counter)
            await counter.rounds()
            for order in orders:
                assert (await counter.shown(order))["state"] == "returned"
            told = await place.look("bank", "accounts")
            assert told["transferred"] == len(orders) * PRICE
            assert await counter.book("refund_float") == told["transferred"]
            await counter.is_equal(tmp_path, [])

    asyncio.run(run())
