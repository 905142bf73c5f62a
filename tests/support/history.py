"""An honest small history: every state of every lifecycle, made by the product's own commands.

`tests/<room>/happened.py` has the part of each room: `happen`, and `end` after which nobody works on it.
Real seals over real documents, real objects in the store; only the bank and the mail are not
there.  What can be spoilt has a name, so that a test can say what it spoils.
"""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from meterai.documents import DocumentService
from meterai.kit.ids import new_id
from meterai.plumbing.db.database import jsonb
from meterai.stamping import StampingService, Upload
from meterai.stamping import store as stamping_store
from meterai.stamping.model import read_placements
from tests.support.by_room import modules
from tests.support.pdf import pdf
from tests.support.shop import PLACEMENT, Paid, Shop

PLACE = '{"page": 1, "x": 60, "y": %d, "width": 80}'


@dataclass(slots=True)
class History:
    """What was made, by name."""

    shop: Shop
    names: dict[str, object] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.names[name]

    # -- the acts ---------------------------------------------------------------------------

    def quota(self, name: str, quantity: int, more: int = 0) -> UUID:
        """An executed order of stamps."""
        order = self.shop.place(quantity)
        paid = self.shop.pay(order, more)
        self.shop.work()
        self.keep_order(name, order, paid)
        return order

    def keep_order(self, name: str, order: UUID, paid: Paid | None = None) -> None:
        """Name an order with its attempt and its payment."""
        self.names[f"{name}.order"] = order
        self.names[f"{name}.attempt"] = paid.attempt if paid else self.shop.attempts(order)[-1]
        self.names[f"{name}.payment"] = paid.number if paid else None

    def documents(self, name: str, count: int) -> UUID:
        """An order of documents, as the page places it."""
        uploads = [
            Upload(f"{name}-{n}.pdf", pdf(words=f"{name} {n}"), read_placements(PLACE % 60))
            for n in range(count)
        ]
        container = self.shop.container
        view = self.shop.do(
            container.of(StampingService).order(self.shop.account, secrets.token_hex(8), uploads)
        )
        [row] = self.shop.rows(
            "SELECT order_id FROM orders WHERE 'ord_' || lower(compact(order_id)) = %s", view.id
        )
        order: UUID = row["order_id"]
        self.shop.placed.append(order)
        found = self.shop.rows(
            "SELECT stamping_id FROM stampings WHERE order_id = %s ORDER BY position", order
        )
        for n, one in enumerate(found):
            self.names[f"{name}.{n}"] = one["stamping_id"]
        self.keep_order(name, order)
        return order

    def stamp(self, name: str, count: int) -> None:
        """A document stamped from the balance."""
        places = read_placements(f"[{', '.join(PLACE % (60 + 150 * n) for n in range(count))}]")
        upload = Upload(f"{name}.pdf", pdf(words=name), places)
        service = self.shop.container.of(StampingService)
        view = self.shop.do(service.stamp(self.shop.account, secrets.token_hex(8), upload))
        [row] = self.shop.rows(
            "SELECT stamping_id FROM stampings WHERE 'stg_' || lower(compact(stamping_id)) = %s",
            view.id,
        )
        self.names[f"{name}.stamping"] = row["stamping_id"]

    def reserve(self, name: str, count: int) -> UUID:
        """A document whose stamps are held; nobody has sealed it yet."""
        content = pdf(words=name)
        sha256 = hashlib.sha256(content).digest()
        account, container = self.shop.account, self.shop.container
        container.of(DocumentService).contents.put_from_thread(sha256, content)
        row = self.shop.call(
            stamping_store.RESERVE,
            account,
            new_id(),
            secrets.token_hex(8),
            secrets.token_bytes(32),
            sha256,
            jsonb([PLACEMENT] * count),
            self.shop.fresh_serials(count),
            900.0,
            60.0,
            *container.of(DocumentService).metadata(
                f"{name}.pdf", len(content), 1, wanted_seconds=0.0
            ),
            False,
        )
        assert row is not None
        self.names[f"{name}.stamping"] = row["id"]
        return UUID(str(row["id"]))

    def give_back(self, name: str, *steps: str) -> UUID:
        """The refund of an order, brought so far."""
        [row] = self.shop.rows(
            "SELECT refund_id FROM refunds WHERE order_id = %s ORDER BY refund_id DESC LIMIT 1",
            self[f"{name}.order"],
        )
        refund: UUID = row["refund_id"]
        self.names[f"{name}.refund"] = refund
        for step in steps:
            getattr(self.shop, step)(refund)
        self.shop.work()
        return refund


def make(shop: Shop) -> History:
    """Everything that can happen, once: `happen` of each room, then `end` of each.

    Rooms come from the lowest up, each after those that its `AFTER` names.
    """
    history = History(shop)
    found = {module.__name__.split(".")[1]: module for module in modules("happened")}
    rooms: dict[str, None] = {}

    def place(room: str) -> None:
        for before in getattr(found[room], "AFTER", ()):
            place(before)
        rooms.setdefault(room)

    for room in found:
        place(room)
    for step in ("happen", "end"):
        for room in rooms:
            getattr(found[room], step, _nothing)(history)
    history.names["account"] = shop.account
    return history


def _nothing(_: History) -> None:
    """Endpoints that take messages, do not, or are slow; what one was sent by another's secret."""
    shop, actor = history.shop, Actor(ActorKind.ACCOUNT)
    webhooks = shop.container.of(WebhookService)
    safe = Safe(shop.container.keyring.derived(PURPOSE))

    def ended(status: int, *, is_slow: bool = False) -> None:
        key = secrets.token_hex(8)
        wish = WebhookWish("http://127.0.0.1:9/", ["*"], "", PERMISSIONS[Role.OWNER])
        endpoint, _ = shop.do(webhooks.make(shop.account, wish, key, actor=actor))
        tests = [
            shop.do(webhooks.test(shop.account, endpoint.id, actor=actor)).id for _ in range(2)
        ]
        sealed = safe.made(shop.account, endpoint.id)
        of = DueMessage(shop.account, endpoint.id, tests[0], endpoint.url, "", 1, sealed, None)
        failure = None if status == 200 else "status"
        made = WebhookAttempt(0, datetime.now(UTC), 10, status, b"", failure)
        wait = None if status == 200 else 5.0
        database = shop.container.database
        shop.do(database.once(webhook_store.attempted, [Attempted(of, made, wait, is_slow)]))
        shop.do(webhooks.rotate(shop.account, endpoint.id, key, actor=actor))

    ended(200)
    ended(200, is_slow=True)
    ended(500)
    ended(410)


def _supervised(history: History) -> None:
    """A day that the supervisor was told of, and its month, which is closed; of the books themselves `tests/regulator` is."""
    shop, day = history.shop, date(2025, 3, 31)
    sums = Sums(
        [("stamps_issued", "duty_payable", 1, 10_000), ("stamps_issued", "buyer_funds", 1, -10_000)]
    )
    content = packed([b"{}"])
    manifest = ExtractManifest(day, 1, len(content), hashlib.sha256(content).digest(), sums, {}, "")
    signer = shop.container.of(StatementService).signer
    text = manifest.signed(signer, by="https://meterai.example", specimen=True)

    async def keep() -> None:
        async with shop.container.database.transaction() as tx:
            await supervised.insert_part(tx, day, 0, content)
            await supervised.insert_extract(tx, manifest, text)
            await close(tx, Month.of(day), TESTER)

    shop.do(keep())


def _closed(history: History) -> None:
    """Two days that finance closed, payouts in each state; of the books of a closed day themselves `tests/finance` is."""
    shop, first = history.shop, date(2025, 3, 30)
    settings, month = shop.container.settings, date(2025, 3, 1)
    one = Close(
        first,
        0,
        bytes(32),
        [PeriodBalance("bank_clearing", 0, 10_000, 0), PeriodBalance("buyer_funds", 0, 0, 10_000)],
    )
    two = [
        PeriodBalance("bank_clearing", -10_000, 0, 0),
        PeriodBalance("buyer_funds", 10_000, 10_000, 0),
        PeriodBalance("duty_payable", 0, 0, 10_000),
    ]

    async def close_both(tx: Tx) -> None:
        await closing.close(tx, one, settings, TESTER)
        last = await finance_store.last_close(tx)
        assert last is not None
        second = Close(
            first + timedelta(days=1), 0, bytes(32), two, before=closing.digest(last.manifest)
        )
        await closing.close(tx, second, settings, TESTER)

    shop.do(shop.container.database.run(close_both))
    for name in PayoutState:
        now = shop.container.clock.now()
        found = Payout(
            new_id(), 10_000, month, "411411-902", PayoutState.APPROVED, now, str(TESTER)
        )
        history.names[f"{name}.payout"] = found.id
        steps = [partial(payouts.propose, found=found, actor=TESTER)]
        if name in (PayoutState.SENT, PayoutState.CONFIRMED):
            steps.append(partial(payouts.send, found=found, code="820251234567890", actor=TESTER))
        for step in steps:
            shop.do(shop.container.database.run(step))
        found = replace(found, state=PayoutState.SENT)
        if name == PayoutState.CONFIRMED:
            shop.do(shop.container.database.run(partial(_confirmed, found=found)))
        if name == PayoutState.FAILED:
            failing = partial(payouts.fail, found=found, why="the bank closed", actor=TESTER)
            shop.do(shop.container.database.run(failing))


async def _confirmed(tx: Tx, found: Payout) -> None:
    at = await finance_store.now(tx)
    await payouts.confirm(tx, found, "2025-04-10/7", at, "0A1B2C3D4E5F6G7H", TESTER)


def _drafted(history: History) -> None:
    """A draft that was ordered, and one that nobody has ordered yet."""
    shop = history.shop
    drafts, uploads = shop.container.of(DraftService), shop.container.of(Uploads)
    draft, token = drafts.fresh(shop.account, "192.0.2.1")
    file = shop.do(uploads.add_whole(draft, "draf.pdf", pdf(words="draf"), token=token))
    shop.do(drafts.place(draft, file, [Placement(1, 60, 60, 80)]))
    # Its order is another's here; the document that took over its bytes is its own.
    assert file.sha256 is not None
    keep_document(shop, shop.account, file.sha256, file.size)
    shop.do(drafts.finish(draft, history["quota.order"], [file]))
    waiting, token = drafts.fresh(None, "192.0.2.1")
    shop.do(uploads.add_whole(waiting, "nanti.pdf", pdf(words="nanti"), token=token))


class _Died(BatchWork):
    """A worker that is killed once it reserved."""

    async def _seal(self, batch: Batch, rows: Sequence[ReadyRow]) -> None:
        """It came no further."""


def _batched(history: History) -> None:
    """A batch in each of its states, with rows in each of theirs."""
    history.quota("batches", 5)
    shop = history.shop
    container, account = shop.container, shop.account
    batches = container.of(BatchService)
    parts = container.database, container.of(RowStamping), container.settings
    works, died = BatchWork(*parts), _Died(*parts)

    def batch(name: str, count: int) -> UUID:
        made = shop.do(batches.make(account, secrets.token_hex(8), name))
        files = [ReceivedFile(f"{n}.pdf", pdf(words=f"{name} {n}")) for n in range(count)]
        shop.do(batches.intake.take(made, listed(files)))
        rows = [{"file": one.name, "placement": _BATCH_PLACE, "type": "3"} for one in files]
        lines = [msgspec.json.encode(row) for row in [*rows, {"file": "hilang.pdf"}]]
        shop.do(batches.add_rows(account, made.id, json_rows(b"\n".join(lines))))
        history.names[f"{name}.batch"] = made.id
        return made.id

    def start(name: str, count: int, *, orders: bool = False) -> UUID:
        made = batch(name, count)
        shop.do(batches.start(account, made, None, method=None, orders=orders))
        return made

    batch("open", 1)
    start("finished", 2)
    shop.do(works.lane().once())
    shop.do(batches.cancel(account, batch("cancelled", 1)))
    for name in ("under way", "cancelling", "failed"):
        made = start(name, 1)
        shop.do(died.lane().once())
        if name == "cancelling":
            shop.do(batches.cancel(account, made))
        if name == "failed":
            [row] = shop.rows(
                "SELECT stamping_id FROM batch_rows WHERE batch_id = %s AND number = 1", made
            )
            shop.do(
                container.database.once(
                    stamping_store.fail, account, row["stamping_id"], "seal_does_not_hold"
                )
            )
            shop.call("UPDATE batch_rows SET leased_until = now() WHERE batch_id = %s", made)
            shop.do(died.lane().once())
    start("short", 5, orders=True)
    shop.work()


def _deposited(history: History, name: str, depot: Depot, rupiah: int) -> Paid:
    order = depot.order_deposit(rupiah)
    paid = depot.pay(order)
    depot.shop.work()
    history.names |= {f"{name}.distributor": depot.account, f"{name}.deposit": order}
    return paid


def _sold(history: History, name: str, depot: Depot, quantity: int) -> Depot:
    """A sale; its buyer, who acts in the shop."""
    made = depot.sell(quantity, reference=name)
    depot.shop.work()
    history.names |= {
        f"{name}.sale": read("sal", made.id),
        f"{name}.order": read("ord", made.order),
    }
    buyer = history.names[f"{name}.buyer"] = depot.buyer(made)
    return Depot(depot.shop, buyer)


def _distributed(history: History) -> None:
    """Distributors in each state, and sales, deposits and terms in each of theirs."""
    shop = history.shop
    depots = {name: Depot(shop) for name in ("approved", "open", "closing", "closed")}
    for depot in depots.values():
        depot.approve()
    depot = depots["open"]
    _deposited(history, "open", depot, 50_000)
    depot.pull_terms(Short.RETAIL, low_rupiah=1_000_000)
    _sold(history, "taken", depot, 1)
    _resold(history, depot)
    with _sold(history, "back", depot, 1).acting():
        _redeposited(history, depot)
    with _sold(history, "ended", depot, 9).acting():
        shop.give_up(history["ended.order"], "withdrawn")
        due = depot.account, history["ended.sale"], "order"
        assert shop.do(shop.container.database.once(sale_store.end, *due))
    _sold(history, "waiting", depot, 9)
    paid = _deposited(history, "denied", depot, 10_000)
    with depot.acting():
        shop.deny(paid)
    shop.work()
    _deposited(history, "withdrawn", depot, 20_000)
    depot.refund(10_000)
    shop.do(depot.service.watch())
    for name in ("closing", "closed"):
        _deposited(history, name, depots[name], 10_000)
    _sold(history, "closing", depots["closing"], 9)
    for name in ("closing", "closed"):
        depots[name].close()
    depots["closed"].refund(10_000)
    shop.work()
    _bought_on_a_page(history)


def _bought_on_a_page(history: History) -> None:
    """Fees of a seller: one that went back from its deposit, one that it owed in part, and one that paid that first."""
    shop, depot = history.shop, Depot(history.shop)
    shops, orders = shop.container.of(ShopService), shop.container.of(OrderService)
    depot.approve()
    _deposited(history, "page", depot, 10_000)
    shop.do(shops.set(depot.account, ShopWish("toko-riwayat"), actor=TESTER))
    sold = shop.do(shops.seller("toko-riwayat"))
    buyer = Depot(shop, history["taken.buyer"])

    def buy(name: str, quantity: int = 1) -> UUID:
        with buyer.acting():
            placed = shop.do(
                orders.place(buyer.account, name, quantity, wait_for_qr=False, sold=sold)
            )
            order = history.names[f"{name}.order"] = read("ord", placed.id)
            shop.make_qr(shop.attempts(order)[-1])
            shop.pay(order)
        shop.work()
        return order

    def give_back(order: UUID) -> None:
        with buyer.acting():
            shop.ask_back(order)
            shop.work()
            refund = shop.refunds()[-1]
            shop.send(refund)
            shop.settle(refund)
        shop.work()

    given, owed = buy("page_back"), buy("page_owed", 3)
    give_back(given)
    depot.sell(1)  # of 13,000 rupiah
    shop.work()
    give_back(owed)  # 3,000 of fees
    buy("page")


def _resold(history: History, depot: Depot) -> None:
    """Resellers in each state, and a sale of one."""
    act, shop = depot.resellers, history.shop
    made = {name: depot.invite(name=name) for name in ("invited", "selling", "paused", "left")}
    for name, kiosk in made.items():
        history.names[f"{name}.reseller"] = kiosk.account
        if name != "invited":
            kiosk.accept(depot)
    _sold(history, "resold", made["selling"], 1)
    shop.do(act.pause(depot.account, made["paused"].account, actor=TESTER))
    shop.do(act.end(depot.account, made["left"].account, actor=TESTER))


def _redeposited(history: History, depot: Depot) -> None:
    """What the buyer of a sale asked back is deposit again."""
    shop = history.shop
    shop.ask_back(history["back.order"])
    shop.work()
    refund = history.give_back("back", "send")
    [row] = shop.rows("SELECT refund_no, amount FROM refunds WHERE refund_id = %s", refund)
    made = depot.account, history["back.sale"], row["refund_no"], row["amount"]
    query = sale_store.OWN_SQL.give_back
    assert shop.do(shop.container.database.once(payment_store.give_back_own, query, *made))
    shop.settle(refund)
    shop.work()


def _collected(history: History) -> None:
    """Collectors in each state, and draws, deposits and documents in each of theirs."""
    shop = history.shop
    found, closed = Collecting(shop), Collecting(shop)
    for one in (found, closed):
        one.approve()
    found.pull(collector_levers.CHANGE, found.terms(5 * PRICE))
    closed.pull(
        collector_levers.CLOSE, collector_levers.CollectorNamed(show("acc", closed.account))
    )
    history.names |= {"open.collector": found.account, "closed.collector": closed.account}
    for name, quantity in (("draw", 3), ("undrawn", 1), ("no_draw", 4), ("wait_draw", 5)):
        order = history.names[f"{name}.order"] = found.draw(quantity)
        [attempt] = shop.attempts(order)
        history.names[f"{name}.draw"] = attempt
        shop.work()
    before, shop.account = shop.account, found.account
    shop.give_up(history["no_draw.order"], "withdrawn")
    assert shop.do(
        shop.container.database.once(draw_store.end, found.account, history["no_draw.draw"])
    )
    shop.ask_back(history["undrawn.order"])
    shop.work()
    refund = history.give_back("undrawn", "send")
    [row] = shop.rows("SELECT refund_no, amount FROM refunds WHERE refund_id = %s", refund)
    made = found.account, history["undrawn.draw"], row["refund_no"], row["amount"]
    query = draw_store.OWN_SQL.give_back
    assert shop.do(shop.container.database.once(payment_store.give_back_own, query, *made))
    shop.settle(refund)
    shop.work()
    shop.account = before
    month, today = found.this_month, found.service.today()
    found.confirm(PRICE, month)
    for _ in range(2):
        number = secrets.token_hex(8).upper()
        tell = found.service.tell_deposit(found.account, number, month, PRICE, today, found.actor)
        shop.do(tell)
    shop.do(found.service.withdraw_deposit(found.account, number))
    shop.do(found.service.tell_unstamped(found.account, FACTS, datetime.now(UTC), "sistem mati"))
    upload = Upload("faktur.pdf", pdf(words="faktur"), read_placements(_PLACE % 60), facts=FACTS)
    stamped = shop.do(shop.container.of(StampingService).stamp(found.account, "faktur", upload))
    history.names["told.stamping"] = read("stg", stamped.id)

    async def told(tx: Tx) -> None:
        await draw_store.remind(tx, found.account, month.first, 1, "report")
        await collector_service.report(tx, found.account, month, "S-1", today, found.actor)

    shop.do(shop.container.database.run(told))
    shop.work()


def _complained(history: History) -> None:
    """A case in each state, and how each may end; one of an address without an account."""
    shop, staff = history.shop, new_id()
    service = shop.container.of(CaseService)
    ordered = show("ord", history["quota.order"])

    def complain(name: str, matter: Matter, about: str, pictures: Sequence[bytes] = ()) -> Case:
        complaint = Complaint(matter, "Kuota 0.", "id", about, pictures=pictures)
        case = shop.do(service.complain(shop.account, complaint, actor=TESTER))
        history.names[f"{name}.case"] = case.id
        return case

    def act(case: Case, event: CaseEvent, outcome: CaseOutcome | None = None) -> Case:
        acting = service.write_as_staff(case, event, "Halo.", staff, actor=TESTER, outcome=outcome)
        return shop.do(acting)

    picture = io.BytesIO()
    Image.new("RGB", (9, 9)).save(picture, "PNG")
    webp = shop.do(service.redrawn(picture.getvalue(), "192.0.2.1"))
    complain("answered", Matter.QUOTA_LOST, ordered)
    accepted = complain("accepted", Matter.PAID_NOT_EXECUTED, ordered)
    shop.do(service.accept(accepted, actor=TESTER))
    act(complain("by_staff", Matter.CANNOT_OPEN, ordered), CaseEvent.ANSWERED)
    act(complain("asked_back", Matter.INVALID_AT_AGENCY, ordered), CaseEvent.ASKED)
    closed = complain("closed", Matter.SOMETHING_ELSE, ordered, [webp])
    act(closed, CaseEvent.CLOSED, CaseOutcome.SOLVED)
    again = complain("reopened", Matter.SOMETHING_ELSE, "")
    act(again, CaseEvent.CLOSED, CaseOutcome.EXPLAINED)
    shop.do(service.say(again, "Belum.", [], actor=TESTER))
    order = history.quota("money", 1)
    back = complain("money", Matter.REFUND_WHERE, show("ord", order))
    shop.do(service.not_answered(back, "", actor=TESTER))
    shop.ask_back(order)
    shop.work()
    history.give_back("money", "send", "settle")
    complaint = Complaint(Matter.PAID_TWICE, "Dua kali.", "en")
    shop.do(service.send("tamu@example.org", "192.0.2.1", complaint))
    shop.work()


def _failed(history: History) -> None:
    """A record of an outage in each of its states."""
    keeping = Keeping(history.shop, history.shop.container.settings.process.directory / "watchers")
    withdrawn = keeping.propose()
    member(history.shop, "operations").pull("outage withdraw", outage=withdrawn.shown)
    replaced = keeping.sealed()
    history.names["replaced.outage"] = replaced.id
    history.names["confirmed.outage"] = keeping.sealed(replaces=replaced.id).id
    history.names["proposed.outage"] = keeping.propose().id


def _about_data(history: History) -> None:
    """A copy, an erasure that was cancelled, somebody who was erased, and breaches, one of them told and closed."""
    shop = history.shop
    service, database = shop.container.of(PrivacyService), shop.container.database
    shop.do(service.ask_copy(shop.account, actor=TESTER))
    shop.do(service.ask_erasure(shop.account, actor=TESTER))
    shop.do(service.withdraw_erasure(shop.account, actor=TESTER))
    erased = shop.do(
        shop.container.of(AccountService).create(f"{new_id().hex}@example.id", actor=TESTER)
    )
    shop.do(service.ask_erasure(erased, actor=TESTER))
    shop.arrange(
        "UPDATE mails SET state = 'sent', sent_at = now(), tries = 1 WHERE state = 'queued'"
    )
    for days in (8, 1):
        times = ("asked_at", "due_at", "answered_at", "acts_at", "look_at")
        shop.arrange(
            f"UPDATE privacy_requests SET {', '.join(f'{one} = {one} - {days} * DAY' for one in times)}"
            f" WHERE account_id = '{erased}'".replace("DAY", "interval '1 day'")
        )
        shop.do(service.carry_out_erasures())
    history.names["erased"] = erased
    now = datetime.now(UTC)

    async def breach(subjects: list[UUID] | None) -> UUID:
        made, texts = new_id(), ["a", "b", "c", "d", "e", "f"]
        async with database.transaction() as tx:
            await breaches.open_breach(
                tx, made, texts, subjects, known_at=now, actor=TESTER, at=datetime.now(UTC)
            )
        return made

    async def told(made: UUID) -> None:
        async with database.transaction() as tx:
            for who in breaches.BreachRecipient:
                await breaches.tell(tx, made, who, actor=TESTER, at=datetime.now(UTC))

    async def closed(made: UUID) -> None:
        async with database.transaction() as tx:
            await breaches.close(tx, made, "", actor=TESTER, at=datetime.now(UTC))

    history.names["told.breach"] = shop.do(breach([shop.account]))
    shop.do(told(history["told.breach"]))
    shop.do(shop.container.of(breaches.Telling).tell_subjects())
    shop.do(closed(history["told.breach"]))
    history.names["open.breach"] = shop.do(breach(None))
    shop.work()


def _recovered(history: History) -> None:
    """A way back that went on a step, went back, and was given up."""
    told = IncidentText(title_id="Judul", title_en="Title", text_id="Kabar.", text_en="News.")
    now, states = datetime.now(UTC), {Component.PAYMENT: ComponentState.PARTIAL_OUTAGE}
    begun = IncidentChange(state=IncidentState.INVESTIGATING, components=states)

    async def start(tx: Tx) -> None:
        one = await incidents.open_one(tx, begun, told, started_at=now, at=now, actor=TESTER)
        await recovery_steps.start(tx, one, at=now, actor=TESTER)

    async def move(tx: Tx, event: StepEvent) -> None:
        recovery = await recovery_steps.locked(tx)
        await recovery_steps.move(tx, recovery, event, at=now, actor=TESTER)

    database = history.shop.container.database
    history.shop.do(database.run(start))
    for event in (StepEvent.NEXT, StepEvent.BACK, StepEvent.ABANDONED):
        history.shop.do(database.run(partial(move, event=event)))
    while history.shop.do(history.shop.container.of(Subscriptions).tell()):
        pass
    history.shop.work()


def _disturbed(history: History) -> None:
    """An incident that is open, one that was reviewed, and a maintenance to come, of which a subscriber is told."""
    news = history.shop.container.of(Subscriptions)
    history.shop.do(news.ask("ani@example.id", "id", "192.0.2.1"))
    [row] = history.shop.rows("SELECT subscriber_id FROM incident_subscribers")
    history.shop.do(news.confirm(row["subscriber_id"]))
    told = IncidentText(title_id="Judul", title_en="Title", text_id="Kabar.", text_en="News.")
    now = datetime.now(UTC)

    def begun(component: Component) -> IncidentChange:
        states = {component: ComponentState.MAJOR_OUTAGE}
        return IncidentChange(state=IncidentState.INVESTIGATING, components=states)

    async def act(tx: Tx) -> None:
        held, over = [
            await incidents.open_one(
                tx, begun(one), told, started_at=now, at=now, actor=Actor(ActorKind.JOB, "watch")
            )
            for one in (Component.BUYING, Component.CHECKING)
        ]
        over_now = IncidentChange(state=IncidentState.RESOLVED)
        await incidents.update(tx, over.id, over_now, told, at=now, actor=TESTER)
        await incidents.review(tx, over.id, "Diubah.", "Changed.", at=now, actor=TESTER)
        times = now + timedelta(days=1), now + timedelta(days=1, hours=1)
        await incidents.announce(tx, [Component.LINE], told, times, at=now, actor=TESTER)
        history.names |= {"held.incident": held.id, "over.incident": over.id}

    history.shop.do(history.shop.container.database.run(act))
    while history.shop.do(news.tell()):
        pass
    history.shop.work()


def _sign_in(history: History) -> None:
    shop, service = history.shop, history.shop.container.of(AccountService)
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)
    codes = shop.container.of(CodeService)
    challenge = shop.do(codes.ask_for_code(row["email"], "192.0.2.1", "id"))
    shop.do(codes.sign_in(challenge, codes.code(challenge), "id"))
    shop.do(service.create_api_key(shop.account, "history", actor=TESTER))
    _replaced_key(shop)
    _passkey(shop)
    history.names["other"] = shop.do(service.create(f"{new_id().hex}@example.id", actor=TESTER))
    shop.work()


def _replaced_key(shop: Shop) -> None:
    """A key with scopes and an end, and its successor."""
    service, key = shop.container.of(AccountService), new_id()
    scopes = frozenset({Permission.ORDER_READ, Permission.ORDER_CREATE})
    ends = datetime.now(UTC) + timedelta(days=90)
    terms = KeyTerms(scopes, ends, shop.account, PERMISSIONS[Role.OWNER])
    shop.do(service.create_api_key(shop.account, "kasir", actor=TESTER, key=key, terms=terms))
    wish = Replacement(key, 24, new_id())
    shop.do(service.replace_api_key(shop.account, wish, actor=TESTER, terms=terms))


def _passkey(shop: Shop) -> None:
    """A passkey that signed in."""
    service, device = (
        shop.container.of(PasskeyService),
        authenticator_of(shop.container.settings),
    )
    shop.do(make_passkey(service, shop.account, device))
    asked = service.ask_to_sign_in()
    shop.do(service.sign_in(device.sign(asked.options), asked.cookie))


def _roles(history: History) -> None:
    """Staff, some of whom have left."""
    shop, other = history.shop, history["other"]

    async def give() -> None:
        async with shop.container.database.transaction() as tx:
            for one in (StaffRole.SUPPORT, StaffRole.FINANCE):
                await give_staff_role(tx, other, one, actor=TESTER)
            await end_staff_role(tx, other, StaffRole.FINANCE, actor=TESTER)

    passkeys = shop.container.of(PasskeyService)
    shop.do(make_passkey(passkeys, other, authenticator_of(shop.container.settings)))
    shop.do(give())


def _organization(history: History) -> None:
    """An organization with its invitations, and a clerk with a limit, who ordered the stamps of a document."""
    shop, owner = history.shop, history["other"]
    service, of_owner = shop.container.of(OrganizationService), member_actor(owner)
    name, npwp, nib = "PT Contoh", "01.234.567.8-901.000", "baru"
    organization = shop.do(service.make(new_id(), owner, name, npwp, nib)).account
    [row] = shop.rows("SELECT email FROM accounts WHERE account_id = %s", shop.account)

    def invite(email: str, role: Role, limit: int | None = None) -> Invitation:
        return shop.do(service.invite(organization, email, role, limit, "id", actor=of_owner))

    invite("tamu@example.id", Role.AUDITOR)
    invite("tamu@example.id", Role.FINANCE)  # replaces the one before
    cancelled = invite("lain@example.id", Role.OWNER)
    shop.do(service.withdraw(organization, cancelled.id, actor=of_owner))
    link = service.link(organization, invite(row["email"], Role.CLERK, 1).id)
    shop.do(service.accept(link.partition("=")[2], shop.account))
    clerk = shop.do(service.members(organization))[-1]
    for role, limit in ((Role.CLERK, 5), (Role.OWNER, 6)):
        number = read("mem", clerk.id)
        shop.do(service.change(organization, number, role, limit, actor=of_owner))
    upload = Upload("anggota.pdf", pdf(words="anggota"), read_placements(_PLACE % 60))
    stamping = shop.container.of(StampingService)
    key = secrets.token_hex(8)
    shop.do(stamping.order(organization, key, [upload], member=shop.account))
    history.names["organization"] = organization
    shop.work()


def _unpaid(history: History) -> None:
    shop = history.shop
    history._order("placed", shop.place(2))
    shop.make_qr(history["placed.attempt"])
    history._order("opening", shop.place(1))
    order = shop.place(1)
    shop.lose_qr(shop.attempts(order)[-1])
    history._order("lost", order)
    history.names["lost.lost"] = shop.attempts(order)[0]
    order = shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    history.names["declined.attempt"] = shop.attempts(order)[-1]
    shop.decline(shop.attempts(order)[-1])
    for name, state in (("lapsed", "lapsed"), ("withdrawn", "withdrawn")):
        order = shop.place(1)
        shop.make_qr(shop.attempts(order)[-1])
        shop.give_up(order, state)
        history._order(name, order)
    shop.work()


def _executed(history: History) -> None:
    shop = history.shop
    history.quota("quota", 9)
    history.stamp("one", 1)
    history.stamp("two", 2)
    shop.fail(history.reserve("failed", 1))
    history.reserve("reserved", 2)
    shop.work()


def _of_documents(history: History) -> None:
    shop = history.shop
    history.documents("unpaid", 1)
    shop.give_up(history.documents("dropped", 1), "withdrawn")
    shop.pay(history.documents("partly", 2))
    shop.pay(history.documents("spoilt", 1))
    shop.work()
    shop.fail(history["partly.1"])
    shop.fail(history["spoilt.0"])
    shop.do(shop.container.of(StampingService).resume())
    shop.work()
    history.give_back("partly", "send", "settle")
    history.give_back("spoilt")
    shop.pay(history.documents("begun", 2))
    shop.work()


def _returned(history: History) -> None:
    shop = history.shop
    for name, steps in {
        "asked": (),
        "sent": ("send",),
        "refused": ("send", "refuse"),
        "returned": ("send", "settle"),
    }.items():
        shop.ask_back(history.quota(name, 3))
        shop.work()
        history.give_back(name, *steps)
    shop.set_issuing(is_open=False)
    order = history.quota("not_executed", 1)
    shop.refund_overdue(order)
    shop.work()
    history.give_back("not_executed")
    shop.set_issuing(is_open=True)


def _surplus(history: History) -> None:
    shop = history.shop
    for name, more in (("short", -1000), ("excess", 700)):
        history.quota(name, 1, more)
        history.give_back(name)
    history.quota("double", 1)
    shop.pay(history["double.order"])
    shop.work()
    history.give_back("double", "send", "settle")
    order = shop.place(1)
    shop.give_up(order, "withdrawn")
    shop.pay(order)
    shop.work()
    history._order("late", order, shop.paid[-1])
    history.give_back("late")


def _recorded(history: History) -> None:
    """The record of the bank has a payment and a refund."""
    shop = history.shop
    [row] = shop.rows(
        "SELECT refund_no FROM refunds WHERE refund_id = %s", history["returned.refund"]
    )

    async def confirm(tx: Tx) -> None:
        action = "record_compared"
        await trail.record(tx, NOBODY, actor=TESTER, action=action, subject="bank")
        paid = [str(history.names["quota.payment"])]
        await payments.confirm_by_record(tx, paid, [row["refund_no"]])

    shop.arrange(
        "INSERT INTO record_days (provider, day, state, source, reading, leased_until, begun_at, ended_at, lines, matched)"
        " VALUES ('bank', (now() AT TIME ZONE 'Asia/Jakarta')::date - 2, 'final', 'history', 1, now(),"
        " now() - interval '1 hour', now() + interval '5 minutes', 1, 1)"
    )
    shop.arrange(
        "INSERT INTO record_lines (provider, day, reading, position, source, kind, moved_at, payment, amount, line)"
        " SELECT 'bank', day, 1, 1, '', 'payment', now(), %s, 10000, 'x' FROM record_days",
        history.names["quota.payment"],
    )
    shop.do(shop.container.database.run(confirm))


def _elsewhere(history: History) -> None:
    """Refunds that their provider refused: one was transferred with a day's compensation, one was not taken and waits for
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
    # Its buyer typed another, which waits for a person.
    shop.arrange(
        "INSERT INTO account_claims (account_id, claim_id, claim_key, request_hash, state, bank_code, account_no, typed,"
        " confirmed, held_for) VALUES (%s, %s, 'key', 'request', 'held', '014', '1230002', 'Ani', 'ANI', 'large_sum')",
        shop.account,
        new_id(),
    )


def _another_way(history: History) -> None:
    """A buyer pays another way, and a rail is out."""
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
        shop.deny(paid)
        shop.work()

    history.quota("partial", 3)
    shop.deny(shop.paid[-1], 4_000)  # a stamp goes, and what it was worth beyond it comes back
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
    order = shop.place(1)  # a part was taken back before the payment was told
    history._order("overtaken", order)
    shop.deny(Paid(history["overtaken.attempt"], "OVERTAKEN", 10_500), 4_000)
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


def _suspended(history: History) -> None:
    shop = history.shop
    service = suspense.SuspenseService(shop.container.database)

    async def keep(news: suspense.ProviderNews) -> None:
        async with shop.container.database.transaction() as tx:
            await suspense.keep(tx, news)

    async def differ(found: suspense.Break) -> None:
        async with shop.container.database.transaction() as tx:
            await suspense.keep_break(tx, found)

    for name, reason, difference, how in (
        ("lost", "payment_not_in_record", -7_000, "written_off"),
        ("fee", "fee_not_booked", -70, "fee"),
        ("settled", "settlement_not_booked", -9_900, "matched"),
        ("record:float:filled", "float_moved", 9_000, "matched"),
        ("open_break", "refund_not_in_record", 5_000, ""),
    ):
        shop.do(
            differ(suspense.Break(key=name, reason=reason, evidence=b"{}", difference=difference))
        )
        [row] = shop.rows("SELECT item_id FROM suspense_items WHERE item_key = %s", name)
        history.names[f"{name}.item"] = row["item_id"]
        if how:
            ended = suspense.Resolution(how)
            shop.do(service.resolve(row["item_id"], ended, actor=TESTER, note="a test"))
    for name in ("suspended", "sent_back", "dismissed"):
        is_money = name != "dismissed"
        reason = "reference_unknown" if is_money else "unreadable"
        money = {"payment": f"S{name}", "amount": Rupiah(7_000), "is_money": True}
        more: Any = money if is_money else {}
        shop.do(keep(suspense.ProviderNews(name, "notification", reason, b"{}", **more)))
        [row] = shop.rows("SELECT item_id FROM suspense_items WHERE item_key = %s", name)
        history.names[f"{name}.item"] = row["item_id"]
    shop.arrange(
        "INSERT INTO record_days (provider, day, state, source, leased_until, ended_at)"
        " VALUES ('bank', (now() AT TIME ZONE 'Asia/Jakarta')::date - 1, 'final', 'history', now(), now())"
    )
    for name, how in (("sent_back", "returned"), ("dismissed", "dismissed")):
        resolution = suspense.Resolution(how)
        shop.do(service.resolve(history[f"{name}.item"], resolution, actor=TESTER, note="a test"))


def _approved(history: History) -> None:
    """Levers that two people pulled, and requests that ended otherwise or wait."""
    shop, always = history.shop, {"approval_always": "line resume, refunds ask"}
    approver = member(shop, "supervisor", settings=always)
    for name in ("executed", "declined", "withdrawn", "expired", "waiting"):
        seconds = 0.001 if name == "expired" else 3_600.0
        settings = {**always, "approval_lives_seconds": seconds}
        asker = member(shop, "operations", settings=settings)
        pulled = asker.pull("line resume", name=BUYING)
        if name in ("executed", "declined"):
            approver.decide(pulled, approve=name == "executed")
        elif name == "withdrawn":
            asker.withdraw(pulled)
        elif name == "expired":
            assert shop.do(asker.service.expire()) == 1
        history.names[f"approval_{name}"] = pulled.request
    order = history.quota("regretted", 2)
    pulled = member(shop, "finance", settings=always).pull("refunds ask", order=show("ord", order))
    shop.ask_back(order)
    approver.decide(pulled)
    history.names["approval_overtaken"] = pulled.request
    shop.work()


def _drawn(history: History) -> None:
    """A line that was drawn an hour ago."""
    history.names["draw"] = drawn_line(history.shop.container, history.shop.do)


def _in_line(history: History) -> None:
    """Eleven in line: some came in, one of them used the turn, one keeps a place and was told."""
    shop, lines = history.shop, on_shop(history.shop)
    history.names["line"] = BUYING_ID
    lines.operate("set_rate", BUYING, rate=1.0, rate_max=None)
    lines.operate("stand", BUYING, "always")
    room = lines.room()
    tickets = [lines.take(room) for _ in range(9)]
    lines.advance(3.0)
    for ticket in (tickets[1], tickets[0]):
        turn = shop.do(room.come_in(lines.see(room), ticket))
        history.names["used" if ticket.number == 1 else "unused"] = ticket.number
        if ticket.number == 1:
            shop.do(room.use(room.line(BUYING), turn, shop.account))
    for account, ticket in ((shop.account, tickets[1]), (history["other"], tickets[-1])):
        shop.do(room.keep(room.line(BUYING), account, ticket))
    # A place beyond those of its network is spaced, and has a number by its account.
    networks = nested("192.0.2.1")
    spaced = [
        shop.do(room.take_place(lines.see(room), None, networks)) for _ in range(OF_A_ROUND + 1)
    ][-1]
    kept = shop.do(room.keep(lines.see(room), new_id(), spaced))
    assert kept
    assert kept.serial
    assert shop.do(room.set_wants_mail(room.line(BUYING), history["other"], wants_mail=True))
    assert shop.do(lines.container.of(Advancing).notify_near()) == 1
    while lines.see(room).serving < kept.number:  # which also tells of it
        lines.advance(1.0)
    lines.advance(5.0)
    shop.do(room.come_in(lines.see(room), kept))
    shop.work()


def _in_flight(history: History) -> None:
    """Paid, and nothing done about it yet; last, since nobody works after it."""
    shop = history.shop
    shop.work()
    shop.set_issuing(is_open=False)
    history.quota("paid", 2)
    shop.set_issuing(is_open=True)
    order = shop.place(1)
    history._order("fresh", order, shop.pay(order))
