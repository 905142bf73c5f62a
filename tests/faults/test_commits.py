"""Every commit that posts money fails once, and its connection with it: the service starts anew and nothing is lost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meterai.kit.refusal import Refusal
from tests.faults.test_matrix import Counter
from tests.support.banks import Banks, open_banks

# A sequence counts what is rolled back too.
TRAP = """
CREATE SEQUENCE struck;
CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF nextval('struck') = 1000 THEN
        PERFORM pg_terminate_backend(pg_backend_pid());
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER strike AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION strike();
"""
UNTRAP = "DROP TRIGGER strike ON entries; DROP FUNCTION strike; DROP SEQUENCE struck"
COMMITS_MAX = 40  # of one story; more means that it never ends
TRIES_MAX = 5
FAULTS = (Refusal, psycopg.Error, AssertionError)


async def until_done(counter: Counter, act: Callable[[], Awaitable[Any]]) -> Any:
    """Do something again, after a new start, until it is done."""
    for _ in range(TRIES_MAX - 1):
        try:
            return await act()
        except FAULTS:
            await counter.place.restart()
    return await act()


async def story(counter: Counter) -> None:
    """An order that is executed and asked back, and one that its payer's bank takes back."""
    place = counter.place
    assert isinstance(place, Banks)
    kept, taken = await place.order(payment_method="qris"), await place.order(payment_method="qris")
    for order in (kept, taken):
        await counter.pay(order)
    await until_done(counter, counter.rounds)

    async def asked_back() -> None:
        given = await place.asked("/v1/refunds", {"order_id": kept["id"]})
        assert given.status in (200, 201), given.body

    await until_done(counter, asked_back)
    denied = {"qr_content": taken["payment"]["qr_content"]}
    assert (await place.control("bank", "deny", **denied))[0] == 200
    await until_done(counter, counter.rounds)
    await until_done(counter, counter.rounds)
    states = [(await counter.shown(order))["state"] for order in (kept, taken)]
    assert states == ["returned", "denied"], json.dumps(states)


def counted(url: str) -> int:
    """How far the sequence is, as its owner sees it."""
    with psycopg.connect(url) as owner:
        row = owner.execute("SELECT last_value FROM struck").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.soak
def test_commit_of_money_that_fails_leaves_books_that_are_equal_to_the_record(
    database_url: str, tmp_path: Path
) -> None:
    async def run() -> None:
        async with open_banks(database_url, tmp_path, rails="bank") as place:
            counter, struck = Counter("bank", place), 0
            place.arrange(TRAP)
            for number in range(1, COMMITS_MAX):
                place.arrange(f"ALTER SEQUENCE struck RESTART WITH {1001 - number}")
                await story(counter)
                if counted(database_url) < 1000:
                    break  # every entry of a story was struck
                struck += 1
            else:
                raise AssertionError("a story never ends")
            print(f"{struck} commits were struck")
            assert struck
            place.arrange(UNTRAP)
            await counter.is_equal(tmp_path, [])

    asyncio.run(run())
