"""Collectors in each state, and draws, deposits and documents in each of theirs."""

import secrets
from datetime import UTC, datetime

from meterai.collectors import levers as collector_levers
from meterai.collectors import service as collector_service
from meterai.collectors import store as draw_store
from meterai.kit.ids import read, show
from meterai.payments import store as payment_store
from meterai.plumbing.db.database import Tx
from meterai.stamping import StampingService, Upload
from meterai.stamping.model import read_placements
from tests.support.collecting import FACTS, Collecting
from tests.support.history import PLACE, History
from tests.support.pdf import pdf
from tests.support.shop import PRICE

AFTER = ("distribution",)


def happen(history: History) -> None:
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
    upload = Upload("faktur.pdf", pdf(words="faktur"), read_placements(PLACE % 60), facts=FACTS)
    stamped = shop.do(shop.container.of(StampingService).stamp(found.account, "faktur", upload))
    history.names["told.stamping"] = read("stg", stamped.id)

    async def told(tx: Tx) -> None:
        await draw_store.remind(tx, found.account, month.first, 1, "report")
        await collector_service.report(tx, found.account, month, "S-1", today, found.actor)

    shop.do(shop.container.database.run(told))
    shop.work()
