"""Items in suspense: some wait, and some were resolved in each way."""

from typing import Any

from meterai import suspense
from meterai.kit.money import Rupiah
from tests.support.history import History
from tests.support.shop import TESTER

AFTER = ("payments",)


def happen(history: History) -> None:
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
