"""News of incidents by mail: only to confirmed subscribers, in batches, and ended by one click."""

from datetime import timedelta
from typing import Any

import pytest

from meterai.incidents import IncidentState
from meterai.incidents.model import SubscriptionUnknown, TooManySubscriptions
from meterai.incidents.settings import IncidentSettings
from meterai.incidents.subscribing import BATCH, WAITING_MAX, Subscriptions
from meterai.kit.ids import show
from tests.console.conftest import Floor
from tests.incidents.records import NOW, opened, updated
from tests.incidents.test_watching import Clock
from tests.support.shop import Shop

ANI = "ani@example.id"
NETWORK = "192.0.2.7"


def service(shop: Shop, settings: IncidentSettings | None = None) -> Subscriptions:
    found = settings or IncidentSettings()
    return Subscriptions(shop.container.database, b"k" * 32, found, Clock(NOW - timedelta(hours=1)))


def subscribed(shop: Shop, news: Subscriptions, email: str, language: str = "id") -> None:
    shop.do(news.ask(email, language, NETWORK))
    [row] = shop.rows("SELECT subscriber_id FROM incident_subscribers WHERE email = %s", email)
    shop.do(news.confirm(row["subscriber_id"]))


def many(shop: Shop, count: int) -> None:
    shop.call(
        "INSERT INTO incident_subscribers SELECT gen_random_uuid(), 'p' || n || '@example.id', 'en', %s, %s"
        " FROM generate_series(1, %s) n",
        NOW - timedelta(days=1),
        NOW - timedelta(days=1),
        count,
    )


def mails(shop: Shop, template: str = "incident_told") -> list[dict[str, Any]]:
    return shop.rows("SELECT * FROM mails WHERE template = %s ORDER BY recipient", template)


def test_unconfirmed_subscriber_gets_no_news(shop: Shop) -> None:
    news = service(shop)
    shop.do(news.ask(ANI, "id", NETWORK))
    opened(shop)
    assert shop.do(news.tell()) == 0
    assert not mails(shop)
    assert [one["recipient"] for one in mails(shop, "incident_subscribe")] == [ANI]


def test_subscriber_gets_each_update(shop: Shop) -> None:
    news = service(shop)
    subscribed(shop, news, ANI)
    made = opened(shop)
    updated(shop, made, IncidentState.RESOLVED)
    for _ in range(3):
        shop.do(news.tell())
    told = mails(shop)
    assert [(one["recipient"], one["language"]) for one in told] == [(ANI, "id")] * 2
    assert {one["facts"]["state_now"]["en"] for one in told} == {"Investigating", "Resolved"}
    assert told[0]["facts"]["incident"] == made.shown
    assert not shop.rows("SELECT 1 FROM incident_mailings")
    shop.assert_books_hold()


def test_confirmation_mails_are_limited_by_network_and_installation(shop: Shop) -> None:
    news = service(shop, IncidentSettings(subscriptions_per_hour_per_network_max=2))
    for number in range(2):
        shop.do(news.ask(f"a{number}@example.id", "id", NETWORK))
    with pytest.raises(TooManySubscriptions):
        shop.do(news.ask("a2@example.id", "id", NETWORK))
    news = service(shop, IncidentSettings(subscriptions_per_hour_max=3))
    shop.do(news.ask("b@example.id", "id", "198.51.100.7"))
    with pytest.raises(TooManySubscriptions):
        shop.do(news.ask("c@example.id", "id", "203.0.113.8"))
    assert len(mails(shop, "incident_subscribe")) == 3


def test_mailing_to_thousands_runs_in_batches(shop: Shop) -> None:
    news = service(shop)
    many(shop, 1_000)
    opened(shop)
    queued = [shop.do(news.tell()) for _ in range(5)]
    assert queued == [*([BATCH] * (WAITING_MAX // BATCH)), 0, 0], "no more than so many wait"
    while shop.rows("SELECT 1 FROM incident_mailings"):
        shop.call(
            "UPDATE mails SET state = 'sent', sent_at = now(), tries = 1 WHERE state = 'queued'"
        )
        shop.do(news.tell())
    assert len({one["recipient"] for one in mails(shop)}) == len(mails(shop)) == 1_000


def test_unsubscribed_address_is_deleted(shop: Shop) -> None:
    news = service(shop)
    subscribed(shop, news, ANI)
    [row] = shop.rows("SELECT subscriber_id FROM incident_subscribers")
    shop.do(news.end(row["subscriber_id"]))
    assert not shop.rows("SELECT 1 FROM incident_subscribers")
    with pytest.raises(SubscriptionUnknown):
        shop.do(news.subscriber(row["subscriber_id"]))


def test_link_of_another_subscription_is_refused(shop: Shop) -> None:
    news = service(shop)
    subscribed(shop, news, ANI)
    [row] = shop.rows("SELECT subscriber_id FROM incident_subscribers")
    _, _, _, shown, secret = news.path(row["subscriber_id"]).split("/")
    assert news.opened(shown, secret) == row["subscriber_id"]
    for forged in ("", "a" * len(secret), secret[:-1], "\u00e9"):
        with pytest.raises(SubscriptionUnknown):
            news.opened(shown, forged)


def test_person_subscribes_confirms_and_leaves_on_the_pages(floor: Floor) -> None:
    sent = floor.post("/status/subscribe", {"email": ANI})
    assert sent.headers["location"] == "/status/subscribed"
    assert "We sent an email" in floor.get("/status/subscribed").text
    [(facts, number)] = floor.rows(
        "SELECT facts, (SELECT subscriber_id FROM incident_subscribers) FROM mails"
        " WHERE template = 'incident_subscribe'"
    )
    there = facts["path"]
    assert show("sub", number) in there
    assert "Send incident and maintenance updates to ani@example.id?" in floor.get(there).text
    assert floor.rows("SELECT confirmed_at FROM incident_subscribers") == [(None,)], (
        "looking is none"
    )
    assert floor.post(there, {"do": "confirm"}).status_code == 303
    assert "ani@example.id receives incident" in floor.get(there).text
    # As a mail program ends it (RFC 8058): from elsewhere, without a cookie.
    ended = floor.post(there, {"List-Unsubscribe": "One-Click"})
    assert ended.status_code == 200
    assert "Your address has been deleted." in ended.text
    assert not floor.rows("SELECT 1 FROM incident_subscribers")
    assert floor.get(there).status_code == 404
