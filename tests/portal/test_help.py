"""Help page: true about the current state of the service, and without personal data."""

from html import unescape

import pytest

from meterai.apps.rooms import pages_of
from meterai.orders import ExecutionPace
from meterai.pages import Site
from meterai.pages.rendering import rendered
from meterai.payments import PaymentService
from meterai.plumbing.db.database import Database
from meterai.plumbing.messages import LANGUAGES, translate
from meterai.portal.routes.help import (
    MAIL_LATE_SECONDS,
    QUESTIONS,
    WORK_LATE_SECONDS,
    ServiceState,
    _state,
)
from tests.support.pages import application, asked_by_somebody
from tests.support.shop import Shop

SITE = Site(*pages_of())


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


def test_help_shows_late_work(shop: Shop) -> None:
    order = shop.place(1)
    shop.pay(order)
    assert not state_of(shop).is_late
    shop.arrange(
        "UPDATE jobs SET run_at = run_at - make_interval(secs => %s)", WORK_LATE_SECONDS + 1
    )
    late = state_of(shop)
    assert late.is_late
    assert late.issuing, "it is open"
    assert not late.mail, "the mail of it is not queued yet"
    shop.work()
    assert not state_of(shop).is_late


def test_help_shows_an_unavailable_database_and_the_answers(shop: Shop) -> None:
    away = Database("postgresql://127.0.0.1:9/nothing", connections=1)
    assert state_of(shop, away) == ServiceState(database=False)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "state",
    [
        ServiceState(database=False),
        ServiceState(database=True, pace=ExecutionPace(1, 0.4), mail_waits_seconds=900.0),
        ServiceState(database=True, bank=True, issuing=True, work_waits_seconds=90.0),
        ServiceState(database=True, bank=True, issuing=True),
    ],
    ids=["away", "troubled", "late", "well"],
)
def test_help_answers_every_question_in_every_state(state: ServiceState, language: str) -> None:
    asked = asked_by_somebody(application([], SITE), language)
    text = unescape(rendered(asked, "portal/help.html", {"state": state, "questions": QUESTIONS}))
    for question, there in QUESTIONS.items():
        assert translate(f"page.help.{question}.answer", language) in text
        assert f'href="{there}"' in text
    assert "page.help" not in text, "everything has its words"
    works = translate("page.help.state.works", language)
    count = 1 if not state.bank else 2 if state.is_late else 4
    assert text.count(works) == (count if state.database else 0)
