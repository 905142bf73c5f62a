"""A round from relays, some of which lie, stall, or are down."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from meterai.draw import DrawSettings, parts
from meterai.draw.adapters.drand import Relays
from meterai.draw.protocol.chain import QUICKNET, hash_of
from standins.drand import ROUNDS, Chain, Relay, kept_chain, signature_of
from tests.support.draws import chain_of
from tests.support.relay import running_relay

STANDIN = Chain(int(time.time()) - 3_000, period=30)
CHAIN = chain_of(STANDIN)
PAST, FUTURE = 50, 500  # in three hours; a run of all tests is shorter
DELAY_SECONDS = 300  # longer than any machine needs for the rest
NOBODY = "http://127.0.0.1:1"

Act = Callable[[list[Relay], list[str]], Awaitable[None]]


def with_relays(tmp_path, count: int, act: Act) -> None:
    async def run() -> None:
        async with asyncio.timeout(60):
            await _nested([], [], count)

    async def _nested(relays: list[Relay], urls: list[str], left: int) -> None:
        if not left:
            await act(relays, urls)
            return
        async with running_relay(tmp_path / str(left), STANDIN) as (relay, url):
            await _nested([*relays, relay], [*urls, url], left - 1)

    asyncio.run(run())


def test_stand_in_answers_rounds_as_drand_does(tmp_path) -> None:
    async def act(relays: list[Relay], urls: list[str]) -> None:
        def ask(path: str):
            with urlopen(f"{urls[0]}/{path}", timeout=10) as answer:
                return json.loads(answer.read())

        async def asked(path: str):
            return await asyncio.to_thread(ask, path)

        assert await asked("chains") == [hash_of(CHAIN)]
        info = await asked(f"{hash_of(CHAIN)}/info")
        assert (info["period"], info["genesis_time"]) == (30, STANDIN.genesis_time)
        told = await asked(f"{hash_of(CHAIN)}/public/7")
        assert (told["round"], told["signature"]) == (7, signature_of(7))
        latest = await asked(f"{hash_of(CHAIN)}/public/latest")
        assert latest["round"] >= 101  # the chain grows while the test runs
        for path, status in [
            (f"{hash_of(CHAIN)}/public/{FUTURE}", 425),
            (f"{hash_of(CHAIN)}/public/{ROUNDS + 1}", 404),
            (f"{'0' * 64}/info", 404),
        ]:
            with pytest.raises(HTTPError) as refused:
                await asked(path)
            assert refused.value.code == status
            refused.value.close()

    with_relays(tmp_path, 1, act)


def test_round_comes_from_any_relay(tmp_path) -> None:
    async def act(_: list[Relay], urls: list[str]) -> None:
        for given in (urls, [NOBODY, *urls], [*urls, NOBODY], [f"{urls[0]}/"]):
            assert await Relays(given).signature_of(CHAIN, PAST) == signature_of(PAST)
        assert await Relays([NOBODY]).signature_of(CHAIN, PAST) is None
        assert await Relays([]).signature_of(CHAIN, PAST) is None
        assert await Relays(urls).signature_of(CHAIN, FUTURE) is None
        other = chain_of(Chain(STANDIN.genesis_time, period=31))
        assert await Relays(urls).signature_of(other, PAST) is None

    with_relays(tmp_path, 1, act)


@pytest.mark.parametrize(
    "fault", ["lies", "unavailable", "garbage", "endless", "redirect", "response_delay_seconds"]
)
def test_failing_relay_is_ignored(fault: str, tmp_path) -> None:
    async def act(relays: list[Relay], urls: list[str]) -> None:
        bad, _ = relays
        bad.faults.apply({fault: DELAY_SECONDS if fault == "response_delay_seconds" else -1})
        began = time.monotonic()
        # The time-out is long enough for the slow relay, so only a client that does not wait for it finishes
        # earlier.
        patient = Relays(urls, timeout_seconds=2 * DELAY_SECONDS)
        assert await patient.signature_of(CHAIN, PAST) == signature_of(PAST)
        assert time.monotonic() - began < DELAY_SECONDS
        assert await Relays(urls[:1], timeout_seconds=0.5).signature_of(CHAIN, PAST) is None

    with_relays(tmp_path, 2, act)


def test_number_claimed_by_a_relay_is_ignored(tmp_path) -> None:
    # The signature alone determines the round.
    async def act(relays: list[Relay], urls: list[str]) -> None:
        relays[0].faults.apply({"claims": -1})
        assert await Relays(urls).signature_of(CHAIN, PAST) == signature_of(PAST)

    with_relays(tmp_path, 1, act)


def test_development_instance_draws_by_its_own_relay(instance) -> None:
    folder = instance.data / "standins"
    chain = parts.chain_of(str(folder / "drand-chain.json"))
    assert hash_of(chain) == kept_chain(folder).hash
    web = instance.settings.replaced(waiting_room_drand_chain="")
    assert parts.chain_of(web.of(DrawSettings).waiting_room_drand_chain) == QUICKNET
