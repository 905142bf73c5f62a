"""A method with several rails: shares, a silent rail, a rail that is out, a change of method."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from meterai.apps.settings import settings_of
from meterai.commands import Lever, Pull
from meterai.kit.ids import new_id
from meterai.kit.refusal import NotFound
from meterai.payments import Movement, PaymentService, Rails
from meterai.payments.invariants import INVARIANTS
from meterai.payments.levers import IN, OUT, RailNamed
from meterai.payments.qr_check import check_numbers
from meterai.payments.room import RAILS
from meterai.payments.service import LOOK_SECONDS
from meterai.plumbing.config import ConfigurationWrong
from tests.support.banks import Banks, open_banks, write_bank
from tests.support.keys import give_provider_key
from tests.support.shop import TESTER

Story = Callable[[Banks], Awaitable[None]]


def play(database_url: str, directory: Path, story: Story, **more: Any) -> None:
    async def run() -> None:
        async with open_banks(database_url, directory, **more) as banks:
            await story(banks)

    asyncio.run(run())


async def routes(banks: Banks) -> list[tuple[str, str, str]]:
    rows = await banks.rows(
        "SELECT provider, method, state FROM payment_attempts ORDER BY attempt_id"
    )
    return [(row["provider"], row["method"], row["state"]) for row in rows]


async def pull(banks: Banks, lever: Lever, rail: str) -> None:
    """Pull a lever, and wait until every process has its effect."""
    container, named = banks.web.container, RailNamed(rail)
    given = Pull(TESTER, container.clock.now(), "a test", container.settings)
    async with container.database.transaction() as tx:
        assert (await lever.forecast(tx, named, given)).rows == 1
        await lever.carry_out(tx, named, given)
    await asyncio.sleep(LOOK_SECONDS)
    [wrong] = [one for one in INVARIANTS if one.name == "rail_was_taken_out_by_an_operator"]
    assert not await banks.rows(wrong.query)


def rails_of(directory: Path, **more: Any) -> Rails:
    give_provider_key(directory)
    for name in ("bri", "doku"):
        write_bank(directory, name, "http://127.0.0.1:9")
    settings = settings_of(data=str(directory), bank_methods="qris", **more)
    return Rails(settings, RAILS)


def test_new_attempts_are_shared_by_weight(tmp_path: Path) -> None:
    rails = rails_of(tmp_path, payment_rails="bank bri doku", payment_order="qris=bri:3,bank:1")
    drawn = Counter(rails.channel("qris", 10_000, new_id())[0].provider for _ in range(2_000))
    assert set(drawn) == {"bri", "bank"}
    assert 0.65 < drawn["bri"] / 2_000 < 0.85
    # Without shares the first rail gets all attempts. A rail without a share gets those that no other rail can
    # take.
    drawn = Counter(rails.channel("va", 10_000, new_id())[0].provider for _ in range(100))
    assert set(drawn) == {"bri"}
    rails.take_out(["bri"])
    assert rails.channel("va", 10_000, new_id())[0].provider == "doku"
    assert rails.channel(None, 10_000, new_id())[0].provider == "bank"


@pytest.mark.parametrize(
    "told",
    [
        {"payment_order": "qris=nobody"},
        {"payment_order": "cash=bank"},
        {"payment_order": "qris=bank:x"},
        {"payment_order": "qris"},
        {"payment_rails": "bank nobody"},
        {"payment_rails": "bank ../bri"},
        {"payment_rails": "bank bri bri"},
    ],
    ids=str,
)
def test_wrong_rail_settings_stop_the_start(tmp_path: Path, told: dict[str, str]) -> None:
    with pytest.raises(ConfigurationWrong):
        rails_of(tmp_path, **told)


def test_silent_rail_gets_no_attempt_and_its_attempts_move(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        await banks.control("bank", "faults", response_delay_seconds=2)
        for _ in range(3):
            assert (await banks.order())["payment"]["state"] == "opening"
        order = await banks.order()
        assert order["payment"]["qr_content"]
        assert (await routes(banks))[-1] == ("bri", "qris", "waiting")
        # Attempts of the silent rail are opened at the other, without waiting for its answer.
        await banks.round()
        await banks.round()
        found = Counter(await routes(banks))
        assert found["bri", "qris", "waiting"] == 4
        assert found["bank", "qris", "lost"] == 3

    more = {"payment_rails": "bank bri", "bank_methods": "qris", "bank_timeout_seconds": 0.3}
    play(database_url, tmp_path, story, **more)


def test_attempt_that_a_rail_refuses_moves_to_another(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks) -> None:
        refusal = {"act": False, "status": 403, "merge": {"responseCode": "4034701"}}
        await banks.control("bank", "answers", service="generate", answers=[refusal])
        order = await banks.order()
        await banks.round()
        assert (await banks.shown(order))["payment"]["qr_content"]
        assert [one[0] for one in await routes(banks)] == ["bank", "bri"]

    play(database_url, tmp_path, story, payment_rails="bank bri", bank_methods="qris")


def test_rail_that_is_out_gets_no_attempt_and_its_attempts_move(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        first = await banks.order()
        assert (await routes(banks))[-1][0] == "bank"
        await pull(banks, OUT, "bank")
        second = await banks.order()
        assert (await routes(banks))[-1] == ("bri", "qris", "waiting")
        # The shown QR can still be paid, and the payment counts.
        await banks.control("bank", "pay", qr_content=first["payment"]["qr_content"])
        await banks.outcomes(1)
        await banks.work()
        assert (await banks.shown(first))["state"] == "executed"
        # A declined attempt is followed by one at another rail.
        await pull(banks, IN, "bank")
        await pull(banks, OUT, "bri")
        await banks.control("bri", "decline", qr_content=second["payment"]["qr_content"])
        await banks.outcomes(2)
        await banks.work()
        await banks.round()
        assert [one[0] for one in await routes(banks)] == ["bank", "bri", "bank"]
        assert (await banks.shown(second))["payment"]["qr_content"]
        await pull(banks, OUT, "bank")
        with pytest.raises(NotFound):
            await pull(banks, OUT, "doku")
        refused = await banks.asked("/v1/orders", {"quantity": 1})
        told = json.loads(refused.body)
        assert (refused.status, told["code"]) == (503, "payment_method_out")

    play(database_url, tmp_path, story, payment_rails="bank bri", bank_methods="qris")


def test_unpaid_order_is_paid_by_another_method(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks) -> None:
        order = await banks.order()
        given = await banks.asked(f"/v1/orders/{order['id']}/pay-by", {"payment_method": "va"})
        assert given.status == 200, given.body
        payment = json.loads(given.body)["payment"]
        assert (payment["method"], payment["state"]) == ("va", "waiting")
        ends = datetime.fromisoformat(payment["expires_at"])
        assert ends > datetime.now(UTC) + timedelta(hours=23)
        # The QR accepts no payment any more, and the order lives as long as the account number.
        body = {"qr_content": order["payment"]["qr_content"]}
        assert (await banks.control("bank", "pay", **body))[0] == 409
        banks.arrange("UPDATE orders SET lapses_at = now()")
        container = banks.web.container
        [row] = await container.database.read(
            "SELECT count(*) AS n FROM orders WHERE state = 'placed'"
        )
        assert row["n"] == 1
        assert (await banks.pay("bank", payment["instructions"]["number"]))[0] == 200
        await banks.outcomes(1)
        await banks.work()
        assert (await banks.shown(order))["state"] == "executed"
        again = await banks.asked(f"/v1/orders/{order['id']}/pay-by", {"payment_method": "qris"})
        assert (again.status, json.loads(again.body)["code"]) == (409, "not_allowed_now")

    play(database_url, tmp_path, story, payment_rails="bank")


def test_sum_beyond_a_method_is_refused_with_its_limits(database_url: str, tmp_path: Path) -> None:
    async def story(banks: Banks) -> None:
        given = await banks.asked("/v1/orders", {"quantity": 1001, "payment_method": "qris"})
        told = json.loads(given.body)
        assert (given.status, told["code"]) == (422, "amount_not_payable")
        assert told["amount_max"] == "Rp10.000.000"
        assert (await banks.order(quantity=1001, payment_method="va"))["total"] == 10_010_000

    more = {"order_total_max": 50_000_000, "stamp_price": 10_000}
    play(database_url, tmp_path, story, payment_rails="bank", **more)


def test_record_of_each_bank_has_its_payments_under_their_numbers(
    database_url: str, tmp_path: Path
) -> None:
    async def story(banks: Banks) -> None:
        for method in ("va", "qris"):
            order = await banks.order(payment_method=method)
            told = order["payment"]
            if method == "va":
                await banks.pay("bri", told["instructions"]["number"])
            else:
                await banks.control("bri", "pay", qr_content=told["qr_content"])
        await banks.outcomes(2)
        await banks.work()
        now, hour = datetime.now(UTC), timedelta(hours=1)
        payments = banks.web.container.of(PaymentService)
        moved = [one async for one in payments.history(now - hour, now + hour)]
        assert all(isinstance(one, Movement) for one in moved)
        captured = await banks.rows("SELECT payment FROM captures")
        assert {one.payment for one in moved if isinstance(one, Movement)} == {
            row["payment"] for row in captured
        }
        found = await check_numbers(banks.web.container.database, payments.rails, None)
        assert found.holds
        banks.arrange("UPDATE captures SET payment = 'doku:1'")
        found = await check_numbers(banks.web.container.database, payments.rails, None)
        assert found.broken == 2

    # The rail without a record is skipped.
    play(database_url, tmp_path, story, payment_rails="bri doku")
