"""An outside machine that stalls makes visitors wait: the line before buying engages, but still admits visitors."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from meterai.accounts import CodeService
from meterai.plumbing.observe.stations import APART_MIN
from meterai.room import Container
from meterai.waiting_room.model import RATE_MIN
from tests.support.inside import Inside
from tests.support.instance import Client, until
from tests.support.killing import frozen

pytestmark = pytest.mark.sample(1, of="file")

PEOPLE = 2 * APART_MIN
STALLED_SECONDS = 30.0


@pytest.fixture(autouse=True)
def line_of_first_day(inside: Inside) -> Iterator[None]:
    """Let the line engage automatically, as installed. In the other tests of this instance it never does."""
    inside.instance.command("line", "stand", "buying", "automatic")
    assert not is_engaged(inside)
    yield
    inside.instance.command("line", "stand", "buying", "never")


def is_engaged(inside: Inside) -> bool:
    [row] = inside.rows("SELECT is_engaged FROM waiting_room_lines WHERE name = 'buying'")
    return bool(row["is_engaged"])


def pressure(inside: Inside, station: str) -> float:
    return inside.instance.counted().get(f'meterai_station_pressure{{station="{station}"}}', 0.0)


def ask_for_codes(inside: Inside) -> None:
    """Visitors in as many networks request a code each."""

    async def ask(container: Container) -> None:
        codes = container.of(CodeService)
        for number in range(PEOPLE):
            await codes.ask_for_code(f"frozen{number}@example.org", f"198.51.{number}.7", "id")
            await asyncio.sleep(0)

    inside.ask(ask)


def test_delayed_mails_engage_the_line(inside: Inside) -> None:
    with frozen(inside, "standins"):
        ask_for_codes(inside)
        until("mails press", lambda: pressure(inside, "mails") > 1)
        until("the line stands", lambda: is_engaged(inside))
    until("they went out", lambda: pressure(inside, "mails") == 0)


def test_stalled_bank_engages_the_line_and_does_not_close_it(inside: Inside) -> None:
    customers = [inside.customer() for _ in range(PEOPLE)]
    inside.instance.bank.faults(response_delay_seconds=STALLED_SECONDS)
    with ThreadPoolExecutor(PEOPLE) as pool:
        orders = [pool.submit(Client.place, one) for one in customers]
        until("the bank presses", lambda: pressure(inside, "bank") > 1)
        until("the line stands", lambda: is_engaged(inside))
        [line] = inside.rows("SELECT rate FROM waiting_room_lines WHERE name = 'buying'")
        assert line["rate"] >= RATE_MIN
        assert all(order.result()["id"] for order in orders)
    inside.instance.bank.clear_faults()
    until("nobody waits any more", lambda: pressure(inside, "bank") == 0)
