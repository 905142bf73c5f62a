"""API keys: made, shown once, listed, used, ended."""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from litestar.testing import RequestFactory

from meterai.accounts import store
from meterai.accounts.model import (
    KEY_KIND,
    KEYS_PER_ACCOUNT_MAX,
    ApiKeyView,
    KeyAlreadyMade,
    TooManyKeys,
)
from meterai.accounts.service import LAST_USE_EVERY, REMEMBERED_SECONDS
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.ids import new_id, read
from meterai.kit.refusal import Malformed, NotFound, SignInRequired
from tests.accounts.conftest import BEGIN, Counter
from tests.support.shop import TESTER


@pytest.fixture
def account(counter: Counter) -> UUID:
    return counter.do(counter.service.create("ani@example.id", actor=TESTER))


def keys(counter: Counter, account: UUID) -> list[ApiKeyView]:
    return counter.do(counter.service.api_keys(account))


def make(
    counter: Counter, account: UUID, name: str = "kasir", key: UUID | None = None
) -> tuple[str, UUID]:
    """A new key: its text and its id."""
    key = key or new_id()
    return counter.do(counter.service.create_api_key(account, name, key=key, actor=TESTER)), key


def test_a_key_is_listed_by_its_name_and_never_by_its_secret(
    counter: Counter, account: UUID
) -> None:
    text, key = make(counter, account, "  kasir   toko ")
    [shown] = keys(counter, account)
    assert (shown.name, shown.made_at) == ("kasir toko", BEGIN)
    assert (shown.last_used_at, shown.ended_at) == (None, None)
    assert read(KEY_KIND, shown.id) == key
    [row] = counter.rows("SELECT * FROM api_keys")
    secret = text[-32:]
    assert secret not in str(row) + str(shown)
    assert counter.opens(key=text).account == account
    assert counter.opens(key=text).by == "api_key"


def test_a_key_that_is_refused_leaves_no_account(counter: Counter) -> None:
    service, email = counter.service, "budi@example.id"
    with pytest.raises(Malformed):
        counter.do(service.create_with_key(email, "x" * 300, actor=TESTER))
    with pytest.raises(NotFound):
        counter.do(service.account_of(email))
    account, key = counter.do(service.create_with_key(email, "kasir", actor=TESTER))
    assert counter.do(service.account_of(email)) == account
    assert counter.opens(key=key).account == account


def test_keys_in_use_come_first_and_the_newest_of_them(counter: Counter, account: UUID) -> None:
    made = sorted(new_id() for _ in range(3))  # two of one millisecond are in any order
    for name, key in zip(("one", "two", "three"), made, strict=True):
        make(counter, account, name, key)
    counter.do(counter.service.end_api_key(account, made[2], actor=TESTER))
    assert [key.name for key in keys(counter, account)] == ["two", "one", "three"]
    stranger = counter.do(counter.service.create("budi@example.id", actor=TESTER))
    assert keys(counter, stranger) == []


def test_a_key_that_is_ended_opens_nothing_any_more(
    counter: Counter, account: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    (text, key), (other, _) = make(counter, account), make(counter, account)
    elsewhere = counter.another_service()
    counter.opens(key=text)
    counter.opens(key=text, service=elsewhere)
    counter.clock.wait(minutes=1)
    ended = counter.do(counter.service.end_api_key(account, key, actor=TESTER))
    assert ended.ended_at == BEGIN + timedelta(minutes=1)
    with pytest.raises(SignInRequired):
        counter.opens(key=text)
    assert counter.opens(key=other).account == account
    # Another process remembers it for a few seconds and then asks again.
    later = time.monotonic() + REMEMBERED_SECONDS
    monkeypatch.setattr("meterai.accounts.service.time.monotonic", lambda: later)
    with pytest.raises(SignInRequired):
        counter.opens(key=text, service=elsewhere)
    counter.clock.wait(minutes=1)
    assert counter.do(counter.service.end_api_key(account, key, actor=TESTER)) == ended, (
        "the first end is the end"
    )


def test_nobody_ends_the_key_of_another(counter: Counter, account: UUID) -> None:
    text, key = make(counter, account)
    stranger = counter.do(counter.service.create("budi@example.id", actor=TESTER))
    with pytest.raises(NotFound):
        counter.do(counter.service.end_api_key(stranger, key, actor=TESTER))
    with pytest.raises(NotFound):
        counter.do(counter.service.end_api_key(account, new_id(), actor=TESTER))
    assert counter.opens(key=text, service=counter.another_service()).account == account


def test_a_key_opens_with_its_own_secret_and_as_what_it_is(counter: Counter, account: UUID) -> None:
    text, _ = make(counter, account)
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), text.removeprefix("mtr_")):
        with pytest.raises(SignInRequired):
            counter.opens(key=wrong)
    for cookie in (text, text.removeprefix("mtr_")):
        with pytest.raises(SignInRequired):
            counter.opens(cookie)


def test_a_key_is_borne_and_nothing_else(counter: Counter, account: UUID) -> None:
    text, _ = make(counter, account)

    def asks(authorization: str) -> UUID:
        request = RequestFactory().get("/", headers={"Authorization": authorization})
        return counter.do(counter.service.caller(request)).account

    assert asks(f"Bearer {text}") == asks(f"bearer  {text} ") == account
    for other in (f"Basic {text}", text, f"Bearer{text}", "Bearer", ""):
        with pytest.raises(SignInRequired):
            asks(other)


def test_the_last_use_is_written_once_a_minute(counter: Counter, account: UUID) -> None:
    text, _ = make(counter, account)

    def used() -> object:
        counter.opens(key=text, service=counter.another_service())
        return keys(counter, account)[0].last_used_at

    assert used() == BEGIN
    counter.clock.wait(seconds=LAST_USE_EVERY.total_seconds() - 1)
    assert used() == BEGIN, "not a minute ago: not written again"
    counter.clock.wait(seconds=2)
    assert used() == counter.clock.at


def test_of_two_who_would_write_the_last_use_one_does(counter: Counter, account: UUID) -> None:
    _, key = make(counter, account)
    late = BEGIN + timedelta(seconds=5)
    for at in (BEGIN, late):  # neither saw the other's
        arguments = (at, account, key, at - LAST_USE_EVERY)
        counter.do(counter.database.call(store.API_KEY_USED, *arguments))
    assert keys(counter, account)[0].last_used_at == BEGIN


def test_a_session_is_no_use_of_a_key(counter: Counter, account: UUID) -> None:
    make(counter, account)
    counter.opens(counter.sign_in("ani@example.id").session)
    assert keys(counter, account)[0].last_used_at is None


def test_who_asks_with_a_key_does_not_wait_for_who_writes_its_last_use(
    counter: Counter, account: UUID
) -> None:
    text, key = make(counter, account)
    with psycopg.connect(counter.url) as connection:
        connection.execute("SELECT 1 FROM api_keys WHERE key_id = %s FOR UPDATE", [key])
        assert counter.opens(key=text).account == account
    assert keys(counter, account)[0].last_used_at is None


def test_the_same_form_makes_one_key(counter: Counter, account: UUID) -> None:
    text, key = make(counter, account)
    with pytest.raises(KeyAlreadyMade):
        counter.do(counter.service.create_api_key(account, "kasir", key=key, actor=TESTER))
    assert len(keys(counter, account)) == 1
    assert counter.opens(key=text).account == account


def test_an_account_has_so_many_keys_and_no_more_even_at_once(
    counter: Counter, account: UUID
) -> None:
    made = [make(counter, account)[1] for _ in range(KEYS_PER_ACCOUNT_MAX - 2)]

    async def run() -> list[object]:
        asks = (counter.service.create_api_key(account, "kasir", actor=TESTER) for _ in range(8))
        return await asyncio.gather(*asks, return_exceptions=True)

    answers = counter.do(run())
    assert sum(isinstance(one, str) for one in answers) == 2
    assert sum(isinstance(one, TooManyKeys) for one in answers) == 6
    counter.do(counter.service.end_api_key(account, made[0], actor=TESTER))
    make(counter, account)


def test_a_key_needs_a_name(counter: Counter, account: UUID) -> None:
    with pytest.raises(Malformed):
        make(counter, account, " ")
    assert keys(counter, account) == []


def test_making_and_ending_a_key_is_on_the_trail_and_its_secret_is_not(
    counter: Counter, account: UUID
) -> None:
    (text, key), key_of_page = make(counter, account), new_id()
    counter.do(counter.service.end_api_key(account, key, actor=Actor(ActorKind.ACCOUNT)))
    counter.do(counter.service.end_api_key(account, key, actor=Actor(ActorKind.ACCOUNT)))
    made, *others = counter.trail()
    assert made == ("operator:test", "account_made")
    assert others == [("operator:test", "api_key_made"), ("account", "api_key_ended")]
    counter.do(
        counter.service.create_api_key(
            account, "kasir", actor=Actor(ActorKind.ACCOUNT), key=key_of_page
        )
    )
    assert counter.trail()[3:] == [("account", "api_key_made")]
    rows = counter.rows("SELECT * FROM audit_events ORDER BY happened_at")[1:]
    assert all(row["account_id"] == account for row in rows)
    assert {read(KEY_KIND, row["subject"]) for row in rows} == {key, key_of_page}
    assert text[-32:] not in str(rows)
