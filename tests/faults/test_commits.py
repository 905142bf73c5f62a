"""Every commit of every scenario with money fails once, and its connection with it.

It fails either before it takes effect, or afterwards, so that only its answer is lost. The service restarts and
the client repeats its request. Nothing is lost or done twice. Each scenario runs once for each of its commits
that write to the tables given for it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from meterai.accounts import AccountService, OrganizationService
from meterai.apps.rooms import RAILS
from meterai.batches.room import ROOM as BATCHES
from meterai.collectors import CollectorService
from meterai.collectors import levers as collecting
from meterai.collectors.model import AlreadyCollector, NtpnDiffers
from meterai.collectors.room import ROOM as COLLECTORS
from meterai.distribution import levers
from meterai.distribution.branding import ShopService, ShopWish
from meterai.distribution.model import AlreadyDistributor
from meterai.distribution.room import ROOM as DISTRIBUTION
from meterai.kit.ids import new_id, read, show
from meterai.kit.lifecycle import NotAllowedNow
from meterai.kit.refusal import Refusal
from meterai.orders.room import ROOM as ORDERS
from meterai.room import Container
from meterai.stamping import RowStamping
from meterai.stamping.room import ROOM as STAMPING
from meterai.webhooks.room import ROOM as WEBHOOKS
from standins.receiver import Receiver
from tests.batches.test_work import Dying
from tests.faults.test_matrix import Counter
from tests.support.banks import Banks, open_banks
from tests.support.batching import RECTANGLE, zipped
from tests.support.collecting import NPWP, drawn_before
from tests.support.depot import SELLER, pulled
from tests.support.losing import LOST, losing
from tests.support.pdf import pdf
from tests.support.shop import TESTER

COMMITS_MAX = 80  # of one scenario; more means that it never ends
TRIES_MAX = 5
ROUNDS_MAX = 6
STRUCK = 1_000  # the value of the sequence at which a commit fails
FAULTS = (Refusal, psycopg.Error, AssertionError)
UNIT = 10_000  # rupiah of one stamp: there is no fee
SELLERS_FEE = 1_000  # rupiah, on a seller's own page


class When(StrEnum):
    """The moment at which a commit fails."""

    BEFORE = "before it is made"
    AFTER = "before it is heard of"


_STRIKES = {
    When.BEFORE: "PERFORM pg_terminate_backend(pg_backend_pid())",
    When.AFTER: f"RAISE WARNING '{LOST.decode()}'",
}


def trap(when: When, tables: Iterable[str]) -> str:
    """SQL that makes one of the commits fail that write to these tables.

    The count is a sequence, so that it also counts commits that are rolled back.
    """
    triggers = "".join(
        f"CREATE CONSTRAINT TRIGGER strike AFTER INSERT OR UPDATE OR DELETE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION strike();"
        for table in tables
    )
    return f"""
    CREATE SEQUENCE struck;
    CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
        IF current_setting('tests.struck', true) IS NOT DISTINCT FROM pg_current_xact_id()::text THEN
            RETURN NULL;  -- another row of the same commit
        END IF;
        PERFORM set_config('tests.struck', pg_current_xact_id()::text, true);
        IF nextval('struck') = {STRUCK} THEN
            {_STRIKES[when]};
        END IF;
        RETURN NULL;
    END $$;
    {triggers}
    """


def untrap(tables: Iterable[str]) -> str:
    """SQL that removes the trap."""
    triggers = "".join(f"DROP TRIGGER strike ON {table};" for table in tables)
    return f"{triggers} DROP FUNCTION strike; DROP SEQUENCE struck"


# -- actors ------------------------------------------------------------------------------------


@dataclass
class Town:
    """A bank, the application, and its clients."""

    counter: Counter
    place: Banks
    url: str  # of the database, without the proxy that loses answers
    receiver: Receiver

    @property
    def container(self) -> Container:
        return self.place.web.container

    def arm(self, number: int) -> None:
        """Let the commit with this number, counted from here, fail."""
        self.place.arrange(f"ALTER SEQUENCE struck RESTART WITH {STRUCK + 1 - number}")

    def counted(self) -> int:
        """The value of the sequence, read as its owner."""
        with psycopg.connect(self.url) as owner:
            row = owner.execute("SELECT last_value FROM struck").fetchone()
        assert row is not None
        return int(row[0])

    def quietly(self, statements: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run statements that move time or only read. No commit of them fails."""
        with psycopg.connect(self.url) as owner:
            owner.execute("SET session_replication_role = replica")
            done = owner.execute(statements.encode(), parameters or None)
            return done.fetchall() if done.description else []

    async def until_done(self, act: Callable[[], Awaitable[Any]]) -> Any:
        """Repeat an act until it succeeds, with a restart of the application before each repeat."""
        for _ in range(TRIES_MAX - 1):
            try:
                return await act()
            except FAULTS:
                await self.place.restart()
        return await act()

    async def asks(self, path: str, content: object = None, *, by: str = "", again: str) -> Any:
        """Repeat a request until it succeeds, and return the answer."""

        async def ask() -> Any:
            given = await self.place.asked(path, content, by=by, again=again)
            assert given.status in (200, 201), given.body
            return json.loads(given.body)

        return await self.until_done(ask)

    async def shown(self, path: str, by: str = "") -> Any:
        """The answer to a GET."""
        headers = {"Authorization": f"Bearer {by or self.place.key}"}
        given = await self.place.web.get(path, headers)
        assert given.status == 200, given.body
        return json.loads(given.body)

    async def works(self) -> None:
        """Run every job, periodic task and worker pool once."""
        self.quietly(
            "UPDATE jobs SET run_at = now(); DELETE FROM round_faults;"
            " UPDATE batch_rows SET leased_until = now() WHERE state IN ('waiting', 'reserved');"
            " UPDATE stampings SET leased_until = now() WHERE state = 'reserved';"
            " UPDATE webhook_messages SET try_at = now() WHERE state = 'waiting'"
        )
        await self.counter.rounds()
        container = self.container
        for room in (ORDERS, STAMPING, DISTRIBUTION, COLLECTORS, BATCHES):
            for task in room.tasks(container):
                await task.run()
        await self.place.work()
        for room in (BATCHES, WEBHOOKS):
            for pool in room.worker_pools(container):
                await pool.once()
        await self.place.work()

    async def settles(self, check: Callable[[], Awaitable[bool]]) -> None:
        """Work until the check holds, whatever fails meanwhile."""
        for _ in range(ROUNDS_MAX):
            await self.until_done(self.works)
            if await self.until_done(check):
                return
        raise AssertionError(f"it does not come to be so: {check}")

    async def pays(self, order: Any, by: str = "") -> None:
        """Pay an order as soon as it has a QR."""
        seen: dict[str, Any] = {}

        async def is_payable() -> bool:
            seen.update(await self.shown(f"/v1/orders/{order['id']}", by))
            return seen["payment"]["qr_content"] is not None

        if not await self.until_done(is_payable):
            await self.settles(is_payable)
        await self.counter.pay(seen)

    async def key_of(self, account: UUID) -> str:
        """A new API key of an account."""
        return await self.container.of(AccountService).create_api_key(account, "test", actor=TESTER)

    async def pulls(self, lever: Any, asked: Any, is_done: type[Refusal]) -> None:
        """Pull a lever. If the answer is lost, a repeat is refused with `is_done`, which counts as success."""

        async def pull() -> None:
            with suppress(is_done):
                await pulled(self.container, lever, asked)

        await self.until_done(pull)


@dataclass
class Wholesaler:
    """A distributor of the town."""

    town: Town
    account: UUID
    key: str

    @classmethod
    async def made(cls, town: Town, stamps: int = 0) -> "Wholesaler":
        """A new distributor with a deposit for this number of stamps."""
        account = new_id()
        organizations = town.container.of(OrganizationService)
        await organizations.make(account, town.place.account, "PT Toko", "", "")
        agreed = levers.DistributorTerms(show("acc", account), SELLER, SELLERS_FEE, "Jawa Barat")
        await town.pulls(levers.APPROVE, agreed, AlreadyDistributor)
        found = cls(town, account, await town.key_of(account))
        if stamps:
            await found.tops_up(stamps, "first")
        return found

    async def tops_up(self, stamps: int, key: str) -> None:
        body = {"rupiah": stamps * UNIT}
        order = await self.town.asks("/v1/deposits", body, by=self.key, again=key)
        same = await self.town.asks("/v1/deposits", body, by=self.key, again=key)
        assert same["id"] == order["id"]
        await self.town.pays(order, self.key)

        async def is_executed() -> bool:
            shown = await self.town.shown(f"/v1/orders/{order['id']}", self.key)
            return bool(shown["state"] == "executed")

        await self.town.settles(is_executed)
        [(added,)] = self.town.quietly(
            "SELECT sum(l.credit - l.debit)::bigint FROM legs l JOIN entries e USING (account_id, entry_id)"
            " WHERE l.account_id = %s AND l.book = 'deposits' AND e.reason = 'deposit_added' AND e.subject = %s",
            self.account,
            read("ord", order["id"]),
        )
        assert added == stamps * UNIT

    async def deposit(self) -> int:
        """The deposit in rupiah."""
        return int((await self.town.shown("/v1/deposit", self.key))["balance"])

    async def sells(self, quantity: int, key: str = "sale") -> Any:
        body = {"email": f"{key}@{self.account.hex}.example", "quantity": quantity}
        made = await self.town.asks("/v1/sales", body, by=self.key, again=key)
        same = await self.town.asks("/v1/sales", body, by=self.key, again=key)
        assert same["id"] == made["id"]
        return made

    async def comes_to(self, made: Any, state: str) -> None:
        async def is_so() -> bool:
            found = await self.town.shown(f"/v1/sales/{made['id']}", self.key)
            return bool(found["state"] == state)

        await self.town.settles(is_so)

    async def followed(self, made: Any) -> UUID:
        """Wait for the order of a sale, and return the account of its buyer."""
        found: list[tuple[Any, ...]] = []

        async def is_there() -> bool:
            query = "SELECT account_id FROM orders WHERE order_id = %s"
            found[:] = self.town.quietly(query, read("ord", made["order"]))
            return bool(found)

        await self.town.settles(is_there)
        return UUID(str(found[0][0]))


@dataclass
class Drawer:
    """A collector of the town."""

    town: Town
    account: UUID
    key: str

    @classmethod
    async def made(cls, town: Town, stamps: int) -> "Drawer":
        """A new collector that may draw this number of stamps a month."""
        account = new_id()
        organizations = town.container.of(OrganizationService)
        await organizations.make(account, town.place.account, "PT Pungut", NPWP, "")
        asked = collecting.CollectorAsked(show("acc", account), "PT Pungut", stamps * UNIT)
        await town.pulls(collecting.APPROVE, asked, AlreadyCollector)
        return cls(town, account, await town.key_of(account))

    async def draws(self, stamps: int, key: str = "draw") -> Any:
        body = {"quantity": stamps, "payment_method": "credit"}
        order = await self.town.asks("/v1/orders", body, by=self.key, again=key)
        same = await self.town.asks("/v1/orders", body, by=self.key, again=key)
        assert same["id"] == order["id"]
        return order

    async def gives_up(self, order: Any) -> None:
        path = f"/v1/orders/{order['id']}/withdraw"
        assert (await self.town.asks(path, by=self.key, again="up"))["state"] == "withdrawn"

    async def come_to(self, states: Mapping[str, str]) -> None:
        """Work until the draws have these states, by their orders."""
        query = (
            "SELECT a.subject, d.state FROM credit_draws d JOIN payment_attempts a"
            " ON a.account_id = d.account_id AND a.attempt_id = d.draw_id WHERE d.account_id = %s"
        )

        async def is_so() -> bool:
            found = {show("ord", one): at for one, at in self.town.quietly(query, self.account)}
            return found == states

        await self.town.settles(is_so)

    async def owes(self) -> int:
        """Rupiah that are not deposited yet, after a check that the API equals the books."""
        shown = int((await self.town.shown("/v1/collector", self.key))["owed"])
        query = (
            "SELECT coalesce(sum(debit - credit), 0)::bigint FROM legs"
            " WHERE account_id = %s AND book = 'collectors_due'"
        )
        assert self.town.quietly(query, self.account) == [(shown,)]
        return shown


# -- the scenarios -----------------------------------------------------------------------------

Armed = Callable[[], None]


async def money_comes_and_goes(town: Town, armed: Armed) -> None:
    """One order is executed and refunded; the payer's bank takes another one back."""
    armed()
    kept, taken = [
        await town.asks("/v1/orders", {"quantity": 1, "payment_method": "qris"}, again=new_id().hex)
        for _ in range(2)
    ]
    for order in (kept, taken):
        await town.pays(order)
    await ends(town, {kept["id"]: "executed", taken["id"]: "executed"})
    await town.asks("/v1/refunds", {"order_id": kept["id"]}, again=f"back-{kept['id']}")
    shown = await town.until_done(partial(town.shown, f"/v1/orders/{taken['id']}"))
    qr = shown["payment"]["qr_content"] or taken["payment"]["qr_content"]
    assert (await town.place.control("bank", "deny", qr_content=qr))[0] == 200
    await ends(town, {kept["id"]: "returned", taken["id"]: "denied"})


async def ends(town: Town, states: Mapping[str, str], by: str = "") -> None:
    """Work until orders are in these states."""

    async def is_so() -> bool:
        found = {one: (await town.shown(f"/v1/orders/{one}", by))["state"] for one in states}
        return found == states

    await town.settles(is_so)


async def deposit_is_topped_up(town: Town, armed: Armed) -> None:
    """The first deposit of a distributor."""
    seller = await Wholesaler.made(town)
    armed()
    await seller.tops_up(3, "first")
    assert await town.until_done(seller.deposit) == 3 * UNIT


async def sale_is_paid_at_once(town: Town, armed: Armed) -> None:
    """A sale that the deposit covers."""
    seller = await Wholesaler.made(town, 3)
    armed()
    made = await seller.sells(2)
    await seller.comes_to(made, "executed")
    assert await town.until_done(seller.deposit) == UNIT
    [(stamps,)] = town.quietly(
        "SELECT sum(issued)::integer FROM stamp_lots WHERE account_id = %s",
        await seller.followed(made),
    )
    assert stamps == 2


async def sale_waits_and_is_paid(town: Town, armed: Armed) -> None:
    """A sale beyond the deposit, and the top-up that pays it."""
    seller = await Wholesaler.made(town, 1)
    armed()
    made = await seller.sells(3)
    await seller.comes_to(made, "waiting")
    await seller.tops_up(2, "second")
    await seller.comes_to(made, "executed")
    assert await town.until_done(seller.deposit) == 0


async def sale_ends_at_its_time(town: Town, armed: Armed) -> None:
    """A sale that waited too long."""
    seller = await Wholesaler.made(town, 1)
    armed()
    made = await seller.sells(3)
    await seller.followed(made)
    days = " - interval '2 days'"
    order = read("ord", made["order"])
    for table, columns, where in (
        ("sale_terms", ("since",), "%s::uuid IS NOT NULL"),
        ("order_sellers", ("sold_at",), "order_id = %s"),
        ("payment_attempts", ("opened_at", "instructed_at", "expires_at"), "subject = %s"),
        ("orders", ("placed_at", "lapses_at"), "order_id = %s"),
        ("sales", ("made_at", "waits_until"), "order_id = %s"),
    ):
        moved = ", ".join(f"{one} = {one}{days}" for one in columns)
        town.quietly(f"UPDATE {table} SET {moved} WHERE {where}", order)
    await seller.comes_to(made, "lapsed")
    assert await town.until_done(seller.deposit) == UNIT


async def sale_is_given_up(town: Town, armed: Armed) -> None:
    """The buyer withdraws a waiting sale, and the sale behind it is paid."""
    seller = await Wholesaler.made(town, 1)
    armed()
    made, behind = await seller.sells(3), await seller.sells(1, "behind")
    buyer = await town.until_done(partial(town.key_of, await seller.followed(made)))
    path = f"/v1/orders/{made['order']}/withdraw"
    assert (await town.asks(path, by=buyer, again="up"))["state"] == "withdrawn"
    await seller.comes_to(made, "withdrawn")
    await seller.comes_to(behind, "executed")
    assert await town.until_done(seller.deposit) == 0


async def sale_is_given_back(town: Town, armed: Armed) -> None:
    """A buyer returns stamps, and their money becomes deposit again."""
    seller = await Wholesaler.made(town, 3)
    made = await seller.sells(2)
    await seller.comes_to(made, "executed")
    buyer = await town.key_of(await seller.followed(made))
    armed()
    await town.asks("/v1/refunds", {"order_id": made["order"]}, by=buyer, again="back")
    await seller.comes_to(made, "returned")
    assert await town.until_done(seller.deposit) == 3 * UNIT


async def deposit_is_refunded(town: Town, armed: Armed) -> None:
    """A distributor is closed while a sale waits, and its deposit is refunded."""
    seller = await Wholesaler.made(town, 2)
    made = await seller.sells(3)
    await seller.followed(made)
    armed()
    named = levers.DistributorNamed(show("acc", seller.account))
    await town.pulls(levers.CLOSE, named, NotAllowedNow)
    await seller.comes_to(made, "lapsed")

    async def refund() -> None:
        if await seller.deposit():
            asked = levers.DepositAsked(show("acc", seller.account), 2 * UNIT)
            await pulled(town.container, levers.REFUND, asked)

    await town.until_done(refund)

    async def is_settled() -> bool:
        query = "SELECT state, amount FROM refunds WHERE account_id = %s"
        return town.quietly(query, seller.account) == [("settled", 2 * UNIT)]

    await town.settles(is_settled)
    assert (await town.shown("/v1/deposit", seller.key))["state"] == "closed"


async def fee_is_earned_and_given_back(town: Town, armed: Armed) -> None:
    """Stamps are bought on a seller's page and refunded."""
    seller = await Wholesaler.made(town, 1)
    slug = f"toko-{seller.account.hex[:12]}"
    await town.container.of(ShopService).set(seller.account, ShopWish(slug), actor=TESTER)
    armed()
    body = {"quantity": 2, "payment_method": "qris", "seller": slug}
    order = await town.asks("/v1/orders", body, again=slug)
    assert (await town.asks("/v1/orders", body, again=slug))["id"] == order["id"]
    await town.pays(order)
    await ends(town, {order["id"]: "executed"})
    await _deposited(seller, UNIT + 2 * SELLERS_FEE)
    await town.asks("/v1/refunds", {"order_id": order["id"]}, again=f"back-{slug}")
    await ends(town, {order["id"]: "returned"})
    await _deposited(seller, UNIT)


async def _deposited(seller: Wholesaler, rupiah: int) -> None:
    async def is_so() -> bool:
        return await seller.deposit() == rupiah

    await seller.town.settles(is_so)


async def draw_is_taken_at_once(town: Town, armed: Armed) -> None:
    """A draw within the limit of its month."""
    drawer = await Drawer.made(town, 3)
    armed()
    order = await drawer.draws(2)
    await ends(town, {order["id"]: "executed"}, drawer.key)
    await drawer.come_to({order["id"]: "taken"})
    assert await town.until_done(drawer.owes) == 2 * UNIT


async def draw_waits_and_is_taken(town: Town, armed: Armed) -> None:
    """An overdue deposit stops a draw, and the draw is granted when the deposit is confirmed."""
    drawer = await Drawer.made(town, 3)
    before = await drawer.draws(2, "before")
    await ends(town, {before["id"]: "executed"}, drawer.key)
    service = town.container.of(CollectorService)
    month, statements = drawn_before(drawer.account, service.today(), 3)
    for statement in statements:
        town.quietly(statement)
    armed()
    order = await drawer.draws(1)
    states = {before["id"]: "taken", order["id"]: "waiting"}
    await drawer.come_to(states)
    ntpn, today = new_id().hex[-16:].upper(), str(service.today())
    told = {"ntpn": ntpn, "month": str(month), "rupiah": 2 * UNIT, "paid_on": today}
    await town.asks("/v1/collector/deposits", told, by=drawer.key, again=ntpn)
    named = show("acc", drawer.account)
    asked = collecting.DepositMade(named, ntpn, str(month), 2 * UNIT, today)
    await town.pulls(collecting.CONFIRM, asked, NtpnDiffers)
    await ends(town, {order["id"]: "executed"}, drawer.key)
    await drawer.come_to(states | {order["id"]: "taken"})
    assert await town.until_done(drawer.owes) == UNIT


async def draw_is_given_up(town: Town, armed: Armed) -> None:
    """The collector withdraws a waiting draw beyond the month's limit, and the draw behind it is granted."""
    drawer = await Drawer.made(town, 3)
    armed()
    states: dict[str, str] = {}
    orders = []
    for stamps, key, state in (
        (2, "first", "taken"),
        (3, "beyond", "waiting"),
        (1, "behind", "waiting"),
    ):
        orders.append(await drawer.draws(stamps, key))
        states[orders[-1]["id"]] = state
        await drawer.come_to(states)
    first, beyond, behind = orders
    await drawer.gives_up(beyond)
    await drawer.come_to(states | {beyond["id"]: "ended", behind["id"]: "taken"})
    await ends(town, {first["id"]: "executed", behind["id"]: "executed"}, drawer.key)
    assert await town.until_done(drawer.owes) == 3 * UNIT


async def draw_is_given_back(town: Town, armed: Armed) -> None:
    """Stamps of a draw are returned and no longer owed."""
    drawer = await Drawer.made(town, 3)
    order = await drawer.draws(2)
    await ends(town, {order["id"]: "executed"}, drawer.key)
    armed()
    await town.asks("/v1/refunds", {"order_id": order["id"]}, by=drawer.key, again="back")
    await ends(town, {order["id"]: "returned"}, drawer.key)
    assert await town.until_done(drawer.owes) == 0


async def batch_is_stamped(town: Town, armed: Armed) -> None:
    """A batch of three rows, of which one has no document."""
    bought = await town.place.order(quantity=2, payment_method="qris")
    await town.pays(bought)
    await ends(town, {bought["id"]: "executed"})
    before = (await town.shown("/v1/balance"))["stamps"]
    armed()
    batch = await _sent(town)
    await town.asks(f"{batch}/start", {}, again="start")
    await _finished(town, batch, delivered=2, refused=1)
    found = (await town.until_done(partial(town.shown, "/v1/balance")))["stamps"]
    assert found == before | {"available": 0, "held": 0, "used": before["used"] + 2}


async def batch_has_a_row_that_is_voided(town: Town, armed: Armed) -> None:
    """A row is not sealed in time, and its stamp is returned."""
    bought = await town.place.order(quantity=1, payment_method="qris")
    await town.pays(bought)
    await ends(town, {bought["id"]: "executed"})
    before = (await town.shown("/v1/balance"))["stamps"]
    batch = await _sent(town, documents=1, rows=1)
    await town.asks(f"{batch}/start", {}, again="start")
    within = town.container
    await Dying(within.database, within.of(RowStamping), within.settings).worker_pool().once()
    assert (await town.shown(batch))["rows"]["reserved"] == 1
    armed()
    town.quietly(
        "UPDATE stampings SET requested_at = requested_at - interval '2 days', due_at = due_at - interval '2 days'"
        " WHERE state = 'reserved'"
    )
    await _finished(town, batch, failed=1)
    assert (await town.until_done(partial(town.shown, "/v1/balance")))["stamps"] == before


async def _sent(town: Town, documents: int = 2, rows: int = 3) -> str:
    """Make a batch with these documents and rows, repeat each request until it succeeds, and return the path."""
    made = await town.asks("/v1/batches", {}, again=new_id().hex)
    path = f"/v1/batches/{made['id']}"
    files = {f"{at}.pdf": pdf(words=new_id().hex) for at in range(documents)}
    await town.asks(f"{path}/files", zipped(files), again="files")
    told = [{"file": f"{at}.pdf", "placement": RECTANGLE} for at in range(rows)]
    lines = b"\n".join(json.dumps(row).encode() for row in told)
    await town.asks(f"{path}/rows", lines, again="rows")
    return path


async def _finished(town: Town, path: str, **counts: int) -> None:
    async def is_so() -> bool:
        return bool((await town.shown(path))["state"] == "finished")

    await town.settles(is_so)
    rows = (await town.until_done(partial(town.shown, path)))["rows"]
    assert {name: rows[name] for name in counts} == counts, rows
    assert rows["total"] == sum(counts.values())


async def webhook_is_delivered(town: Town, armed: Armed) -> None:
    """An event is delivered to a webhook endpoint."""
    body = {"url": f"{town.receiver.url}/ok", "events": ["order.withdrawn"]}
    hook = await town.asks("/v1/webhooks", body, again=new_id().hex)
    order = await town.place.order(quantity=1, payment_method="qris")
    armed()
    await town.asks(f"/v1/orders/{order['id']}/withdraw", again="up")

    async def is_delivered() -> bool:
        found = await town.shown(f"/v1/webhooks/{hook['id']}/deliveries")
        return [one["state"] for one in found["deliveries"]] == ["delivered"]

    await town.settles(is_delivered)
    found = await town.until_done(partial(town.shown, f"/v1/webhooks/{hook['id']}/deliveries"))
    [message] = found["deliveries"]
    came = [one.id for one in town.receiver.received if order["id"].encode() in one.body]
    assert set(came) == {message["id"]}
    await town.asks(f"/v1/webhooks/{hook['id']}/remove", again="remove")


MONEY = {"entries"}
# Each scenario, with the tables whose commits fail.
STORIES: Mapping[Callable[[Town, Armed], Awaitable[None]], Iterable[str]] = {
    money_comes_and_goes: MONEY,
    deposit_is_topped_up: MONEY | DISTRIBUTION.owned_tables,
    sale_is_paid_at_once: MONEY | DISTRIBUTION.owned_tables,
    sale_waits_and_is_paid: MONEY | DISTRIBUTION.owned_tables,
    sale_ends_at_its_time: MONEY | DISTRIBUTION.owned_tables,
    sale_is_given_up: MONEY | DISTRIBUTION.owned_tables,
    sale_is_given_back: MONEY | DISTRIBUTION.owned_tables,
    deposit_is_refunded: MONEY | DISTRIBUTION.owned_tables,
    fee_is_earned_and_given_back: MONEY | DISTRIBUTION.owned_tables | {"order_fees"},
    draw_is_taken_at_once: MONEY | COLLECTORS.owned_tables,
    draw_waits_and_is_taken: MONEY | COLLECTORS.owned_tables,
    draw_is_given_up: MONEY | COLLECTORS.owned_tables,
    draw_is_given_back: MONEY | COLLECTORS.owned_tables,
    batch_is_stamped: MONEY | BATCHES.owned_tables,
    batch_has_a_row_that_is_voided: MONEY | BATCHES.owned_tables | {"stampings"},
    webhook_is_delivered: WEBHOOKS.owned_tables,
}


# Rails whose provider is our own database, with the tables that act as the provider.
OWN: Mapping[str, Iterable[str]] = {
    "wholesale": DISTRIBUTION.owned_tables,
    "credit": COLLECTORS.owned_tables,
}


def test_every_own_rail_has_a_scenario_of_failing_commits() -> None:
    assert {kind.name for kind in RAILS if kind.is_own} == set(OWN)
    struck = {table for tables in STORIES.values() for table in tables}
    assert struck.issuperset(table for tables in OWN.values() for table in tables)


@pytest.mark.soak
@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_failed_commit_leaves_books_equal_to_the_record(
    database_url: str,
    tmp_path: Path,
    story: Callable[[Town, Armed], Awaitable[None]],
    when: When,
) -> None:
    async def run(url: str) -> None:
        receiver = Receiver()
        await receiver.serve()
        networks = {"webhook_networks": "127.0.0.0/8"}
        async with open_banks(url, tmp_path, rails="bank", **networks) as place:
            town = Town(Counter("bank", place), place, database_url, receiver)
            tables, struck = sorted(STORIES[story]), 0
            place.arrange(trap(when, tables))
            for number in range(1, COMMITS_MAX):
                town.arm(-COMMITS_MAX)  # commits of the preparation do not fail
                await story(town, partial(town.arm, number))
                if town.counted() < STRUCK:
                    break  # every commit of the scenario has failed once
                struck += 1
            else:
                raise AssertionError("a story never ends")
            print(f"{struck} commits were struck")
            assert struck
            place.arrange(untrap(tables))
            await town.counter.is_equal(tmp_path, [])
            for rail in OWN:
                assert await Counter(rail, place).compare(tmp_path) == []
        await receiver.stop()

    with losing(database_url) as url:
        asyncio.run(run(url))
