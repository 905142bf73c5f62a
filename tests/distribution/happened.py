"""Distributors in each state, and sales, deposits and terms in each of theirs."""

from uuid import UUID

from meterai.distribution import store as sale_store
from meterai.distribution.branding import ShopService, ShopWish
from meterai.distribution.model import Short
from meterai.kit.ids import read
from meterai.orders import OrderService
from meterai.payments import store as payment_store
from tests.support.depot import Depot
from tests.support.history import History
from tests.support.shop import TESTER, Paid

AFTER = ("batches",)


def _deposited(history: History, name: str, depot: Depot, rupiah: int) -> Paid:
    order = depot.order_deposit(rupiah)
    paid = depot.pay(order)
    depot.shop.work()
    history.names |= {f"{name}.distributor": depot.account, f"{name}.deposit": order}
    return paid


def _sold(history: History, name: str, depot: Depot, quantity: int) -> Depot:
    """Make a sale, and return its buyer, who acts in the shop."""
    made = depot.sell(quantity, reference=name)
    depot.shop.work()
    history.names |= {
        f"{name}.sale": read("sal", made.id),
        f"{name}.order": read("ord", made.order),
    }
    buyer = history.names[f"{name}.buyer"] = depot.buyer(made)
    return Depot(depot.shop, buyer)


def happen(history: History) -> None:
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
        shop.charge_back(paid)
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
    """Fees of a seller: one returned from its deposit, one that became partly a debt, and one that paid that
    debt first."""
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
    depot.sell(1)  # takes 13,000 rupiah
    shop.work()
    give_back(owed)  # 3,000 rupiah of fees
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
    """The buyer of a sale returned stamps, and their money is deposit again."""
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
