"""Fair queueing through the application: who is called, the text of the page, and the effect of a sign-in."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from meterai.plumbing.messages import translate
from meterai.plumbing.signed import read_signed
from meterai.waiting_room.crowds import OF_A_ROUND, SERIAL_FIRST
from meterai.waiting_room.invariants import INVARIANTS
from meterai.waiting_room.service import RECEIPT
from meterai.waiting_room.tokens import Ticket
from tests.support.audits import audit
from tests.support.lines import BUYING, BUYING_ID
from tests.support.within import Within, settings_of, within
from tests.waiting_room.test_over_http import LINE, PAGE, TICKET, Office, Visitor

SAID = translate("page.waiting.turns_of_networks", "en")


def run(
    database_url: str, directory: Path, act: Callable[[Within, Office], Awaitable[None]]
) -> None:
    """Run an engaged line behind a proxy that calls one a second; afterwards its invariants hold."""

    async def whole() -> None:
        async with within(settings_of(database_url, directory, proxies=1)) as web:
            office = Office(web)
            await office.operate("set_rate", BUYING, rate=1.0, rate_max=None)
            await office.operate("stand", BUYING, "always")
            await office.advance(1.0)
            await act(web, office)
            found = await audit(web.container.database, INVARIANTS)
            assert [one for one in found.findings if not one.holds] == []

    asyncio.run(whole())


async def takes(web: Within, office: Office, address: str) -> Ticket:
    """Take a place from an address, by a program."""
    found = await web.post(f"{LINE}/place", b"", PAGE | {"x-forwarded-for": address})
    return office.room.read_ticket(office.line(), json.loads(found.body)["ticket"])


class Neighbour(Visitor):
    """A browser at an address."""

    def __init__(self, web: Within, address: str, **cookies: str) -> None:
        super().__init__(web, **cookies)
        self.address = address

    @property
    def headers(self) -> dict[str, str]:
        return super().headers | {"x-forwarded-for": self.address}


def is_called(office: Office, ticket: Ticket) -> bool:
    return bool(ticket.number <= office.line().serving)


def test_other_networks_are_called_before_the_third_place_of_one(
    database_url: str, tmp_path: Path
) -> None:
    async def act(web: Within, office: Office) -> None:
        bot = [await takes(web, office, "203.0.113.9") for _ in range(100)]
        people = [await takes(web, office, f"10.{n}.1.1") for n in range(12)]
        await office.room._numbers[BUYING_ID].close()  # unused numbers are given back
        assert [one.serial > 0 for one in bot] == [False] * OF_A_ROUND + [True] * (100 - OF_A_ROUND)
        assert len({one.key for one in bot}) == 100
        for _ in range(3):  # fourteen visitors and some time
            await office.advance()
        assert all(is_called(office, one) for one in people)
        assert sum(is_called(office, one) for one in bot) <= 4
        # Spaced places are also called if no other visitor waits; new numbers are behind them.
        assert office.line().waiting >= 95
        before = sum(is_called(office, one) for one in bot)
        for _ in range(4):
            await office.advance()
        assert 10 <= sum(is_called(office, one) for one in bot) - before <= 30
        assert (await takes(web, office, "10.99.1.1")).number == office.line().serving + 1
        [row] = await web.container.database.read("SELECT called FROM waiting_room_lines")
        assert 25 <= row["called"] <= 45

    run(database_url, tmp_path, act)


def test_sign_in_gives_a_delayed_place_an_earlier_number(database_url: str, tmp_path: Path) -> None:
    async def act(web: Within, office: Office) -> None:
        for _ in range(OF_A_ROUND):
            await takes(web, office, "192.0.2.1")
        one = Neighbour(web, "192.0.2.1")
        _, page = await one.goes("/buy")
        assert SAID in page.body.decode()
        before = office.room.read_ticket(office.line(), one.cookies[TICKET])
        assert before.serial >= SERIAL_FIRST
        assert f'data-number="{before.number}" data-spaced="1"' in page.body.decode()
        later = [await takes(web, office, f"10.{n}.1.1") for n in range(20)]
        one.cookies |= await office.signed_in()
        await one.get(f"{LINE}/keep?next=/buy")
        after = office.room.read_ticket(office.line(), one.cookies[TICKET])
        assert (after.key, after.holder, after.taken_at) == (
            before.key,
            before.holder,
            before.taken_at,
        )
        assert after.number <= later[0].number < later[-1].number < before.number
        _, page = await one.goes("/buy")
        assert SAID not in page.body.decode()
        proof = (await one.get(f"{LINE}/receipt")).body
        facts = read_signed(proof, RECEIPT, office.room.signer.public_key())
        assert (facts["number"], facts["was_in_time"]) == (after.number, True)
        # Repeated, it is the same number; and the place comes in once, with either ticket.
        await one.get(f"{LINE}/keep?next=/buy")
        assert office.room.read_ticket(office.line(), one.cookies[TICKET]) == after
        await office.advance()
        assert (await one.goes("/buy"))[0] == "/buy"
        [turn] = await web.container.database.read(
            "SELECT number, called_with FROM waiting_room_turns"
        )
        assert (turn["number"], turn["called_with"]) == (before.key, after.number)

    run(database_url, tmp_path, act)
