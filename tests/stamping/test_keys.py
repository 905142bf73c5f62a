"""Every Idempotency-Key with an answer always finds the same answer."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from meterai.kit.refusal import Refusal
from meterai.orders import OrderService, OrderView
from meterai.plumbing.http.requests import IdempotencyKeyReused, InProgress
from meterai.stamping import StampingService
from meterai.stamping.model import StampingEndedUnstamped, StampingView
from meterai.stamps import NotEnoughStamps
from tests.support.shop import Shop
from tests.support.stamping_calls import (
    at_once,
    buy,
    letter,
    reserving,
    resume,
    stamp,
    states,
    upload,
)

KEYS = "abc"
LETTERS = ("Surat", "Ijazah")


def test_key_that_joined_unfinished_stamping_is_stored(shop: Shop) -> None:
    buy(shop, 3)
    made = shop.do(reserving(shop, "first", "Surat"))
    with pytest.raises(InProgress):
        stamp(shop, "second", "Surat")
    resume(shop)
    answers = [stamp(shop, key, "Surat") for key in ("second", "first", "second")]
    assert {answer.id for answer in answers} == {answers[0].id}
    assert shop.rows("SELECT stamping_id FROM stampings") == [{"stamping_id": made["id"]}]
    assert shop.balance().used == 1
    # Another key is another request.
    assert stamp(shop, "third", "Surat").id != answers[0].id
    assert shop.balance().used == 2
    shop.assert_books_hold()


def test_failed_stamping_has_same_answer_under_every_key(shop: Shop) -> None:
    buy(shop, 1)
    shop.do(reserving(shop, "first", "Surat"))
    with pytest.raises(InProgress):
        stamp(shop, "second", "Surat")
    shop.arrange("UPDATE stampings SET due_at = now() - interval '1 second'")
    resume(shop)
    for key in ("second", "first", "second"):
        with pytest.raises(StampingEndedUnstamped) as refused:
            stamp(shop, key, "Surat")
        assert refused.value.reason == "not_in_time"
    assert shop.balance().available == 1
    shop.assert_books_hold()


def test_stamping_delivered_during_second_request_is_found(shop: Shop) -> None:
    """The unfinished stamping is delivered between the two statements of the second request."""
    buy(shop, 40)
    for round_ in range(10):
        first = shop.do(reserving(shop, f"first-{round_}", "Surat"))
        answers = at_once(
            shop,
            shop.container.database.call(
                "SELECT state FROM stamping_deliver(%s, %s, %s, %s, %s)",
                shop.account,
                first["id"],
                b"delta",
                shop.delta_hash,
                b"s" * 32,
            ),
            *(reserving(shop, f"other-{round_}-{n}", "Surat", 0.0) for n in range(3)),
        )
        assert not [answer for answer in answers if isinstance(answer, BaseException)]
        resume(shop)
    shop.assert_books_hold()


# -- the rule, for every command with a key ---------------------------------------------------


# Only keys matter here: the forms have agreed to another stamp.
AGREED = frozenset(hashlib.sha256(letter(name)).digest() for name in LETTERS)


async def _order(shop: Shop, key: str, letters: Sequence[str]) -> OrderView:
    quantity = 1 + LETTERS.index(letters[0])
    return await shop.container.of(OrderService).place(
        shop.account, key, quantity, wait_for_qr=False
    )


async def _order_documents(shop: Shop, key: str, letters: Sequence[str]) -> OrderView:
    uploads = [upload(name) for name in letters]
    return await shop.container.of(StampingService).order(
        shop.account, f"docs-{key}", uploads, AGREED
    )


async def _stamp(shop: Shop, key: str, letters: Sequence[str]) -> StampingView:
    return await shop.container.of(StampingService).stamp(shop.account, key, upload(letters[0]))


async def _stamp_all(shop: Shop, key: str, letters: Sequence[str]) -> Sequence[StampingView]:
    uploads = [upload(name) for name in letters]
    return await shop.container.of(StampingService).stamp_all(
        shop.account, f"form-{key}", uploads, AGREED
    )


async def _killed(shop: Shop, key: str, letters: Sequence[str]) -> None:
    """A web process reserves under the key and dies before it answers."""
    await reserving(shop, key, letters[0])


async def _killed_long_ago(shop: Shop, key: str, letters: Sequence[str]) -> None:
    """The same; the next process resumes the stamping."""
    await reserving(shop, key, letters[0], 0.0)


async def _worker(shop: Shop, _key: str, _letters: Sequence[str]) -> None:
    await shop.container.database.call("UPDATE stampings SET leased_until = now()")
    await shop.container.of(StampingService).resume()


Command = Callable[[Shop, str, Sequence[str]], Awaitable[object]]
ASKING: tuple[Command, ...] = (_order, _order_documents, _stamp, _stamp_all)
COMMANDS = some.sampled_from(
    (*ASKING, _stamp, _stamp, _stamp_all, _killed, _killed_long_ago, _worker)
)
LETTER_LISTS = some.lists(some.sampled_from(LETTERS), min_size=1, max_size=2, unique=True)
REQUESTS = some.tuples(COMMANDS, some.sampled_from(KEYS), LETTER_LISTS)
MOMENTS = some.lists(some.lists(REQUESTS, min_size=1, max_size=5), min_size=3, max_size=8)


def asked_for(command: Command, letters: Sequence[str]) -> object:
    """Value that equal requests to a command share."""
    return letters[0] if command in (_order, _stamp) else _as_sent(command, letters)


def _as_sent(command: Command, letters: Sequence[str]) -> object:
    # The documents of an order are ordered; those of the balance are a set.
    return tuple(letters) if command is _order_documents else frozenset(letters)


def identity(command: Command, answer: object) -> object:
    if isinstance(answer, StampingEndedUnstamped):
        return answer.reason
    if command is _stamp_all:
        assert isinstance(answer, list)
        return frozenset(view.id for view in answer)
    assert isinstance(answer, OrderView | StampingView)
    return answer.id


@given(MOMENTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_key_finds_its_answer_after_any_sequence(
    shop: Shop, moments: list[list[tuple[Command, str, list[str]]]]
) -> None:
    shop.clear()
    buy(shop, 12)
    found: dict[tuple[str, str], tuple[object, object]] = {}
    kinds: dict[Command, str] = {
        _order: "orders",
        _order_documents: "orders of documents",
        _stamp_all: "forms",
    }
    # Each repeated request must find the answer that it found first.
    again = [[one] for moment in moments for one in moment if one[0] in ASKING]
    for moment in (*moments, *again):
        works = [command(shop, key, letters) for command, key, letters in moment]
        for (command, key, letters), answer in zip(moment, at_once(shop, *works), strict=True):
            if isinstance(answer, InProgress | NotEnoughStamps) or command not in ASKING:
                assert not isinstance(answer, BaseException) or isinstance(answer, Refusal)
                continue
            choice, name = asked_for(command, letters), (kinds.get(command, "stampings"), key)
            if isinstance(answer, IdempotencyKeyReused):
                continue
            if isinstance(answer, BaseException) and not isinstance(answer, StampingEndedUnstamped):
                raise answer
            first = found.setdefault(name, (choice, identity(command, answer)))
            assert first == (choice, identity(command, answer)), name
    resume(shop)
    assert set(states(shop)) <= {"waiting", "delivered"}
    made = shop.rows("SELECT count(*) AS n FROM stampings WHERE state = 'delivered'")[0]["n"]
    assert shop.balance().used == made
    keys = shop.rows("SELECT count(DISTINCT s) AS n FROM stamping_keys, unnest(stampings) s")
    assert keys[0]["n"] == made, "every stamp was charged for a key that finds it"
    shop.assert_books_hold()
