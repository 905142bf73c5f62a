"""The levers that stop and open issuing do what their forecast says."""

from meterai.kit.numbers import at_most
from meterai.orders import OrderService
from tests.support.pulling import member
from tests.support.shop import FEE, PRICE, Shop


def test_stopping_makes_paid_orders_wait_as_forecast(shop: Shop) -> None:
    one = member(shop, "operations")
    told = one.forecast("issuing stop", "a flood")
    assert [effect.word for effect in told.effects] == ["issuing_stops", "issuing_orders_wait"]
    assert (told.effects[1].facts["orders"], told.rows) == (0, 1)
    assert one.pull("issuing stop", "a flood").is_done
    order = shop.place(2)
    shop.pay(order)
    shop.work()
    assert shop.state(order) == "paid"
    assert one.forecast("issuing stop", "a flood").effects[1].facts["orders"] == 1


def test_opening_executes_the_orders_of_its_forecast(shop: Shop) -> None:
    one = member(shop, "operations")
    one.pull("issuing stop", "a flood")
    orders = [shop.place(quantity) for quantity in (1, 2, 2)]
    for order in orders:
        shop.pay(order)
    shop.work()
    told = one.forecast("issuing open")
    worth = at_most(5 * (PRICE + FEE))
    assert (told.rows, told.rupiah) == (at_most(len(orders)), worth) == (5, 100_000)
    assert one.pull("issuing open").is_done
    shop.do(shop.container.of(OrderService).execute_paid())
    shop.work()
    assert {shop.state(order) for order in orders} == {"executed"}
    assert one.forecast("issuing open").rupiah == 0
