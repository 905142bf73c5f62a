"""Help page: true about the current state of the service, and without personal data."""

from meterai.orders import ExecutionPace
from meterai.payments import PaymentService
from meterai.plumbing.db.database import Database
from meterai.portal.routes.help import (
    MAIL_LATE_SECONDS,
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


def test_help_shows_stopped_services(shop: Shop) -> None:
    shop.set_issuing(is_open=False)
    order = shop.place(1)
    shop.pay(order)
    shop.work()
    for waits in (0, MAIL_LATE_SECONDS + 1, MAIL_LATE_SECONDS + 2):
        shop.arrange(
            "INSERT INTO mails (account_id, mail_id, cause_key, template, language, recipient, facts,"
            " queued_at, try_at) VALUES (%s, gen_random_uuid(), %s, 'sign_in_code', 'id', 'a@b.id',"
            " '{}', now() - make_interval(secs => %s), now() + interval '1 hour')",
            shop.account,
            str(waits),
            waits,
        )
    state = state_of(shop)
    assert not state.issuing
    assert not state.mail
    assert state.database
    shop.arrange("UPDATE mails SET queued_at = now() WHERE cause_key <> '0'")
    assert state_of(shop).mail
    shop.arrange(
        "UPDATE mails SET state = 'sent', queued_at = now() - interval '5 minutes', sent_at = now()"
    )
    assert not state_of(shop).mail, "they went out late"


def test_help_shows_an_unavailable_database_and_the_answers(shop: Shop) -> None:
    away = Database("postgresql://127.0.0.1:9/nothing", connections=1)
    assert state_of(shop, away) == ServiceState(database=False)
