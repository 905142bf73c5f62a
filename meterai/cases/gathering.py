"""Facts about an order from the rooms below, and the search for the order that a complaint is about."""

from uuid import UUID

from meterai import orders, payments, stamping, stamps, suspense
from meterai.cases.answers import Facts, answer, is_pertinent
from meterai.cases.model import Complaint, ComplaintSubject, Matter
from meterai.kit.clock import Clock
from meterai.kit.ids import read, show
from meterai.kit.paging import ListPage
from meterai.kit.refusal import NotFound, Refusal
from meterai.kit.serial import Serial
from meterai.orders import OrderService
from meterai.payments import BuyerQuestions
from meterai.plumbing.db.database import Database, ReadTx
from meterai.refunds import refunds_of_order
from meterai.stamping import Stamping, stamping_of_digest, stampings_of_orders

ORDERS_LOOKED_AT_MAX = 10  # newest orders of an account, searched if a complaint names no order
NOTHING = ComplaintSubject()


def about_order(order: UUID) -> ComplaintSubject:
    """Return an order as the subject of a complaint."""
    return ComplaintSubject(show("ord", order), order=order)


def _about_stamping(found: Stamping | None) -> ComplaintSubject:
    if found is None:
        return NOTHING
    if found.order is not None:
        return about_order(found.order)
    return ComplaintSubject(show("stg", found.id), stamping=found.id)


class CaseFacts:
    """Reads the facts about an order, a stamping or a stamp."""

    def __init__(
        self, database: Database, service: OrderService, questions: BuyerQuestions, clock: Clock
    ) -> None:
        self._database = database
        self._orders = service
        self._questions = questions
        self._clock = clock

    async def about(self, account: UUID, complaint: Complaint) -> ComplaintSubject:
        """Return the subject that a complaint names; `NOTHING` if this account does not own it."""
        async with self._database.reading() as tx:
            if complaint.digest is not None:
                return _about_stamping(await stamping_of_digest(tx, account, complaint.digest))
            return await self._named(tx, account, complaint.about)

    async def _named(self, tx: ReadTx, account: UUID, typed: str) -> ComplaintSubject:
        text = typed.strip().lower()
        try:
            if text.startswith("ord"):
                order = read("ord", text)
                return about_order((await orders.load(tx, account, order)).id)
            if text.startswith("stg"):
                return _about_stamping(await stamping.load(tx, account, read("stg", text)))
            record = await stamps.look_up(tx, Serial.typed(typed))
            if record is not None and record.account == account:
                return _about_stamping(await stamping.load(tx, account, record.stamping))
        except (NotFound, ValueError):
            pass
        return NOTHING

    async def of(self, account: UUID, about: ComplaintSubject) -> Facts | None:
        """Return the facts about a subject; None for `NOTHING`."""
        if about.order is not None:
            return await self._order_facts(account, about.order)
        if about.stamping is not None:
            async with self._database.reading() as tx:
                found = await stamping.load(tx, account, about.stamping)
            return Facts(now=self._clock.now(), stampings=[found])
        return None

    async def _order_facts(self, account: UUID, order_id: UUID) -> Facts:
        async with self._orders.view_within(account, order_id) as (tx, order):
            captured = await payments.captured_of(tx, account, order_id)
            attempts = await payments.heard_of(tx, account, order_id)
            lot, issuing = await stamps.lot_and_issuing(tx, account, order_id)
            return Facts(
                now=self._clock.now(),
                order=order,
                payments=captured,
                attempts=attempts,
                refunds=await refunds_of_order(tx, account, order_id),
                stampings=await stampings_of_orders(tx, account, order_id),
                lot=lot,
                suspended=await suspense.open_about(
                    tx, [one.reference for one in attempts], [one.number for one in captured]
                ),
                is_issuing=issuing.is_open,
                is_covered=await payments.is_covered(tx, account, order_id),
            )

    async def ask_the_bank(self, account: UUID, order: UUID) -> None:
        """Ask the bank about open payments of an order; the facts read afterwards contain the bank's answer.

        If the bank does not answer, the facts remain those of its previous answer.
        """
        try:
            await self._questions.ask(account, order)
        except Refusal:
            return

    async def meant(self, account: UUID, matter: Matter) -> ComplaintSubject:
        """Return the order that a complaint without a named order is about; `NOTHING` if no order fits.

        Our records about an order may yield an automatic answer to a complaint of this matter.  The order meant is the newest
        whose answer reports a problem that fits the matter (`is_pertinent`), or else the newest with any answer.
        """
        first = NOTHING
        views, _ = await self._orders.list(account, ListPage(ORDERS_LOOKED_AT_MAX))
        for order in views:
            about = about_order(read("ord", order.id))
            facts = await self.of(account, about)
            found = answer(matter, facts) if facts else None
            if found is not None and is_pertinent(matter, found):
                return about
            if found is not None and first == NOTHING:
                first = about
        return first
