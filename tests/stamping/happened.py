"""Documents stamped from the balance and by orders, and some that failed."""

from meterai.stamping import StampingService
from tests.support.history import History

AFTER = ("orders",)


def happen(history: History) -> None:
    _executed(history)
    _of_documents(history)


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
