"""Unpaid orders, and paid orders that were not executed."""

from tests.support.history import History

AFTER = ("accounts",)


def happen(history: History) -> None:
    shop = history.shop
    history.keep_order("placed", shop.place(2))
    shop.make_qr(history["placed.attempt"])
    history.keep_order("opening", shop.place(1))
    order = shop.place(1)
    shop.lose_qr(shop.attempts(order)[-1])
    history.keep_order("lost", order)
    history.names["lost.lost"] = shop.attempts(order)[0]
    order = shop.place(1)
    shop.make_qr(shop.attempts(order)[-1])
    history.names["declined.attempt"] = shop.attempts(order)[-1]
    shop.decline(shop.attempts(order)[-1])
    for name, state in (("lapsed", "lapsed"), ("withdrawn", "withdrawn")):
        order = shop.place(1)
        shop.make_qr(shop.attempts(order)[-1])
        shop.give_up(order, state)
        history.keep_order(name, order)
    shop.work()


def end(history: History) -> None:
    """Paid orders without further work. They come last, since nothing is executed after them."""
    shop = history.shop
    shop.work()
    shop.set_issuing(is_open=False)
    history.quota("paid", 2)
    shop.set_issuing(is_open=True)
    order = shop.place(1)
    history.keep_order("fresh", order, shop.pay(order))
