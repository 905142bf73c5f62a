"""Help page: true about the current state of the service, and without personal data."""

from meterai.orders import ExecutionPace
from meterai.payments import PaymentService
from meterai.plumbing.db.database import Database
from meterai.portal.routes.help import (
    ServiceState,
    _state,
)
from tests.support.shop import Shop


def state_of(shop: Shop, database: Database | None = None) -> ServiceState:
    payments = shop.container.of(PaymentService)
    return shop.do(_state(database or shop.container.database, payments))


def test_help_shows_measured_state_and_durations(shop: Shop) -> None:
    quiet = state_of(shop)
    assert (quiet.database, quiet.bank, quiet.issuing, quiet.mail) == (True, True, True, True)
    assert quiet.pace is None, "no order, no figure"
    for waited in (10, 20, 60):
        order = shop.place(1)
        shop.pay(order)
        shop.work()
        assert shop.state(order) == "executed"
        shop.arrange(
            "UPDATE orders SET paid_at = closed_at - make_interval(secs => %s),"
            " placed_at = closed_at - interval '2 minutes' WHERE order_id = %s",
            waited,
            order,
        )
    busy = state_of(shop)
    assert busy.pace == ExecutionPace(3, 20.0)
    shop.arrange("UPDATE orders SET closed_at = closed_at - interval '16 minutes'")
    assert state_of(shop).pace is None, "what is older says nothing about now"


def test_help_shows_an_unavailable_database_and_the_answers(shop: Shop) -> None:
    away = Database("postgresql://127.0.0.1:9/nothing", connections=1)
    assert state_of(shop, away) == ServiceState(database=False)
