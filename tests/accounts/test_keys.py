"""API keys: made, shown once, listed, used, ended."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from meterai.accounts import PERMISSIONS, KeyTerms, Permission, Role
from meterai.accounts.model import (
    KEY_KIND,
    KEY_PERMISSIONS,
    KEYS_PER_ACCOUNT_MAX,
    ApiKeyView,
    KeyOver,
    KeyReplaced,
    Replacement,
    ScopeNotHeld,
    TooManyKeys,
)
from meterai.accounts.service import LAST_USE_EVERY, REMEMBERED_SECONDS
from meterai.kit.clock import SystemClock
from meterai.kit.ids import new_id, read, show
from meterai.kit.refusal import Malformed, NotFound, SignInRequired
from tests.accounts.conftest import BEGIN, Counter
from tests.support.audits import audit
from tests.support.shop import TESTER


@pytest.fixture
def account(counter: Counter) -> UUID:
    return counter.do(counter.service.create("ani@example.id", actor=TESTER))


def keys(counter: Counter, account: UUID) -> list[ApiKeyView]:
    return counter.do(counter.service.api_keys(account))


def make(
    counter: Counter, account: UUID, name: str = "kasir", key: UUID | None = None
) -> tuple[str, UUID]:
    """Make a key; return its text and its id."""
    key = key or new_id()
    return counter.do(counter.service.create_api_key(account, name, key=key, actor=TESTER)), key


def test_ended_key_is_refused(
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
    # Another process caches the key for a few seconds, and then reads its row.
    later = time.monotonic() + REMEMBERED_SECONDS
    monkeypatch.setattr("meterai.accounts.service.time.monotonic", lambda: later)
    with pytest.raises(SignInRequired):
        counter.opens(key=text, service=elsewhere)
    counter.clock.wait(minutes=1)
    assert counter.do(counter.service.end_api_key(account, key, actor=TESTER)) == ended, (
        "the first end is the end"
    )


def test_key_of_another_account_cannot_be_ended(counter: Counter, account: UUID) -> None:
    text, key = make(counter, account)
    stranger = counter.do(counter.service.create("budi@example.id", actor=TESTER))
    with pytest.raises(NotFound):
        counter.do(counter.service.end_api_key(stranger, key, actor=TESTER))
    with pytest.raises(NotFound):
        counter.do(counter.service.end_api_key(account, new_id(), actor=TESTER))
    assert counter.opens(key=text, service=counter.another_service()).account == account


def test_key_needs_its_own_secret_and_its_prefix(counter: Counter, account: UUID) -> None:
    text, _ = make(counter, account)
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), text.removeprefix("mtr_")):
        with pytest.raises(SignInRequired):
            counter.opens(key=wrong)
    for cookie in (text, text.removeprefix("mtr_")):
        with pytest.raises(SignInRequired):
            counter.opens(cookie)


def test_last_use_of_a_key_is_written_once_a_minute(counter: Counter, account: UUID) -> None:
    text, _ = make(counter, account)

    def used() -> object:
        counter.opens(key=text, service=counter.another_service())
        return keys(counter, account)[0].last_used_at

    assert used() == BEGIN
    counter.clock.wait(seconds=LAST_USE_EVERY.total_seconds() - 1)
    assert used() == BEGIN, "not a minute ago: not written again"
    counter.clock.wait(seconds=2)
    assert used() == counter.clock.at


def test_keys_of_an_account_are_limited_under_concurrency(counter: Counter, account: UUID) -> None:
    made = [make(counter, account)[1] for _ in range(KEYS_PER_ACCOUNT_MAX - 2)]

    async def run() -> list[object]:
        asks = (counter.service.create_api_key(account, "kasir", actor=TESTER) for _ in range(8))
        return await asyncio.gather(*asks, return_exceptions=True)

    answers = counter.do(run())
    assert sum(isinstance(one, str) for one in answers) == 2
    assert sum(isinstance(one, TooManyKeys) for one in answers) == 6
    counter.do(counter.service.end_api_key(account, made[0], actor=TESTER))
    make(counter, account)


# -- scopes, an end, a successor ---------------------------------------------------------------

READS = frozenset({"order.read", "balance.read"})


def of_page(counter: Counter, account: UUID, **terms: object) -> str:
    """Make a key on the page of its owner."""
    given: dict[str, Any] = {"made_by": account, "held": PERMISSIONS[Role.OWNER]} | terms
    made = KeyTerms(**given)
    make = counter.service.create_api_key(account, "kasir", actor=TESTER, terms=made)
    return counter.do(make)


def replace_key(counter: Counter, account: UUID, key: UUID, hours: int, **terms: object) -> str:
    given: dict[str, Any] = {"made_by": account, "held": PERMISSIONS[Role.OWNER]} | terms
    wish, made = Replacement(key, hours, new_id()), KeyTerms(**given)
    return counter.do(counter.service.replace_api_key(account, wish, actor=TESTER, terms=made))


def id_of(counter: Counter, account: UUID) -> UUID:
    """Return the id of the newest key."""
    return max(read(KEY_KIND, one.id) for one in keys(counter, account))


def opens(counter: Counter, text: str) -> bool:
    try:
        counter.opens(key=text, service=counter.another_service())
    except SignInRequired:
        return False
    return True


def holds(counter: Counter, without: str = "") -> bool:
    found = counter.do(audit(counter.database)).findings
    return all(one.holds for one in found if one.invariant.name != without)


def test_key_has_its_scopes_or_all_but_managing_members(counter: Counter, account: UUID) -> None:
    text = of_page(counter, account, scopes=READS)
    assert counter.opens(key=text).permissions == READS
    [shown] = keys(counter, account)
    assert set(shown.scopes) == READS
    everything, _ = make(counter, account)
    assert counter.opens(key=everything).permissions == KEY_PERMISSIONS
    assert PERMISSIONS[Role.OWNER] - KEY_PERMISSIONS == {Permission.MEMBERS_MANAGE}
    assert counter.opens(key=of_page(counter, account, scopes=frozenset())).permissions == set()
    assert holds(counter)


def test_scope_that_the_maker_lacks_or_no_key_has_is_refused(
    counter: Counter, account: UUID
) -> None:
    developer = PERMISSIONS[Role.DEVELOPER]
    with pytest.raises(ScopeNotHeld) as refused:
        of_page(counter, account, scopes=READS, held=developer)
    assert refused.value.scope == "order.read"
    with pytest.raises(ScopeNotHeld):
        of_page(counter, account, held=developer)  # all scopes
    for scope in ("members.manage", "person", "console.read", "nonsense"):
        with pytest.raises(Malformed):
            of_page(counter, account, scopes=frozenset({scope}))
    assert keys(counter, account) == []


def test_key_is_refused_after_its_end_and_an_end_in_the_past_is_refused(
    counter: Counter, account: UUID
) -> None:
    now = SystemClock().now()  # the database has its own clock
    counter.clock.at = now - timedelta(days=3)
    text = of_page(counter, account, expires_at=now - timedelta(seconds=1))
    later = of_page(counter, account, expires_at=now + timedelta(hours=1))
    assert not opens(counter, text)
    assert opens(counter, later)
    assert [one.expires_at < now for one in keys(counter, account) if one.expires_at] == [
        False,
        True,
    ], "those in use come first"
    counter.clock.at = now
    for wrong in (now, now - timedelta(days=1), now + timedelta(days=4_000)):
        with pytest.raises(Malformed):
            of_page(counter, account, expires_at=wrong)
    with pytest.raises(KeyOver):
        replace_key(counter, account, read(KEY_KIND, keys(counter, account)[1].id), 24)
    assert holds(counter)


def test_key_with_more_permissions_than_the_maker_cannot_be_replaced(
    counter: Counter, account: UUID
) -> None:
    of_page(counter, account)
    developer = PERMISSIONS[Role.DEVELOPER]
    with pytest.raises(ScopeNotHeld):
        replace_key(counter, account, id_of(counter, account), 24, held=developer)
    assert len(keys(counter, account)) == 1
    with pytest.raises(Malformed):
        replace_key(counter, account, id_of(counter, account), 25)
    with pytest.raises(NotFound):
        replace_key(counter, account, new_id(), 24)


def test_concurrent_replacements_make_one_successor(counter: Counter, account: UUID) -> None:
    of_page(counter, account)
    old = id_of(counter, account)

    async def run() -> list[object]:
        terms = KeyTerms(made_by=account)
        asks = (
            counter.service.replace_api_key(
                account, Replacement(old, 24, new_id()), actor=TESTER, terms=terms
            )
            for _ in range(5)
        )
        return await asyncio.gather(*asks, return_exceptions=True)

    answers = counter.do(run())
    assert sum(isinstance(one, str) for one in answers) == 1
    assert sum(isinstance(one, KeyReplaced) for one in answers) == 4


def test_owner_is_notified_once_before_a_key_without_successor_ends(
    counter: Counter, account: UUID
) -> None:
    def told() -> int:
        return counter.do(counter.service.tell_of_ends())

    end = BEGIN + timedelta(days=30)
    of_page(counter, account, expires_at=end)
    of_page(counter, account, expires_at=end)
    replaced = id_of(counter, account)
    replace_key(counter, account, replaced, 168)
    of_page(counter, account, expires_at=BEGIN + timedelta(days=3))  # as its maker just chose
    assert told() == 0
    counter.clock.at = end - timedelta(days=7, minutes=-1)
    assert told() == 2
    assert told() == 0
    rows = counter.rows("SELECT subject, actor FROM audit_events WHERE action = 'api_key_ends'")
    assert {row["actor"] for row in rows} == {"job:tell_key_ends"}
    assert show(KEY_KIND, replaced) not in {row["subject"] for row in rows}
