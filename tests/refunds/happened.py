"""Refunds in each state, and payments above or below a total."""

from tests.support.history import History

AFTER = ("stamping",)


def happen(history: History) -> None:
    _returned(history)
    _surplus(history)


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
    history.keep_order("late", order, shop.paid[-1])
    history.give_back("late")
