"""Arrivals: visitors who are served, and few of one network."""

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.support.lines import BUYING
from tests.support.within import Asking, Given, Within, settings_of, within
from tests.waiting_room.test_over_http import Do, Office, Visitor, kept, order_of

PAGE = {"accept": "text/html", "accept-language": "en"}
TURN = f"turn-{BUYING}"


def run(database_url: str, directory: Path, act: Do, **settings: Any) -> None:
    """Run the application while the line is not engaged. Counts are not reported meanwhile."""

    async def whole() -> None:
        told = settings_of(database_url, directory, proxies=1, **settings)
        async with within(told) as web:
            office = Office(web)
            await office.advance(1.0)
            office.room._seen_at = float("inf")
            await act(web, office)

    asyncio.run(whole())


async def look(web: Within, address: str = "192.0.2.1", method: str = "GET", **more: str) -> Given:
    """Request the form to buy; a stranger is redirected to sign in."""
    headers = PAGE | {"x-forwarded-for": address} | more
    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    return await web.ask(Asking(method, b"/buy", told))


def given(office: Office) -> int:
    """Count the numbers given so far."""
    numbers = office.room._numbers.get(office.line().id)
    return numbers._next - numbers._first if numbers else 0


def test_head_request_counts_no_arrival_and_takes_no_number(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        for number in range(20):
            found = await look(web, f"192.{number}.2.1", method="HEAD")
            assert (found.status, found.body) == (303, b"")  # to signing in
            assert TURN not in kept(found)
        assert office.room._arrivals == 0
        assert given(office) == 0

    run(database_url, tmp_path, act)


def test_reloading_network_counts_once_a_second(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        begun = asyncio.get_running_loop().time()
        for _ in range(60):
            assert (await look(web)).status == 303
        seconds = asyncio.get_running_loop().time() - begun
        assert 1 <= office.room._arrivals <= 1 + seconds

    run(database_url, tmp_path, act)


def test_networks_of_one_48_count_no_more_than_sixteen_a_second(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        begun = asyncio.get_running_loop().time()
        for number in range(120):
            await look(web, f"2001:db8:1:{number << 8:x}::1")
        seconds = asyncio.get_running_loop().time() - begun
        assert 16 <= office.room._arrivals <= 16 + 16 * seconds
        assert office.room._arrivals < 120

    run(database_url, tmp_path, act)


# -- turns while the line is not engaged -----------------------------------------------------------


async def bought(web: Within, office: Office, turns: list[str]) -> int:
    """Count the orders of as many accounts, each with one of these turns, once the line is engaged."""
    await office.operate("stand", BUYING, "always")
    placed = 0
    for turn in turns:
        _, key = await office.account()
        order = order_of("k", key) | {"waiting-turn": turn}
        found = await web.post("/v1/orders", b'{"quantity": 1}', order)
        assert found.status == 201 or json.loads(found.body)["code"] == "wait_in_line"
        placed += found.status == 201
    return placed


def test_turns_hoarded_by_one_account_admit_no_other(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        cookies = await office.signed_in()
        told = "; ".join(f"{name}={value}" for name, value in cookies.items())
        turns = [kept(await look(web, cookie=told))[TURN] for _ in range(6)]
        await office.advance()
        assert await bought(web, office, turns) == 0
        own = Visitor(web, **cookies, **{TURN: turns[0]})
        assert (await own.goes("/buy"))[0] == "/buy"
        placed = await own.send("/buy", quantity="1")
        assert placed.header("location").startswith("/orders/")

    run(database_url, tmp_path, act)


def test_stranger_signing_in_while_nobody_waits_gets_own_turn(
    database_url: str, tmp_path: Path
) -> None:
    """Also behind an address at which another visitor has a turn."""

    async def act(web: Within, office: Office) -> None:
        first, second = Visitor(web), Visitor(web)
        for one in (first, second):
            await one.get("/buy")
        assert (TURN in first.cookies, TURN in second.cookies) == (True, False)
        for one in (first, second):
            one.cookies |= await office.signed_in()
            await one.get("/buy")
            turn = office.room.tokens.read_turn(one.cookies[TURN])
            assert turn.is_bound
        await office.advance()
        await office.operate("stand", BUYING, "always")
        for one in (first, second):
            placed = await one.send("/buy", quantity="1")
            assert placed.header("location").startswith("/orders/")

    run(database_url, tmp_path, act)


def test_accounts_behind_one_address_count_each(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        people = [await office.signed_in() for _ in range(8)]
        for cookies in people:
            told = "; ".join(f"{name}={value}" for name, value in cookies.items())
            assert (await look(web, cookie=told)).status == 200
        assert office.room._arrivals == 8

    run(database_url, tmp_path, act)
