"""Access tokens: one request in flight, shared by all callers; the next request begins before the token ends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from meterai.kit.money import Rupiah
from meterai.payments import ProviderUnreachable
from meterai.payments.adapters.snap.tokens import AccessTokens, Token
from meterai.payments.model import OutcomeUnknown
from tests.support.bank import open_bank, soon


class Clerk:
    """An endpoint that gives tokens when the test allows it."""

    def __init__(self, life_seconds: float = 900.0) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.life_seconds = life_seconds
        self.fails = False

    async def give(self) -> Token:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if self.fails:
            raise OutcomeUnknown("no")
        return Token(f"t{number}", self.life_seconds)


def told(story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(run())


def test_callers_wait_for_the_same_token_request() -> None:
    async def story() -> None:
        clerk = Clerk()
        tokens = AccessTokens(clerk.give, 10)
        waiting = [asyncio.create_task(tokens.get()) for _ in range(50)]
        await asyncio.sleep(0)
        clerk.may_answer.set()
        assert set(await asyncio.gather(*waiting)) == {"t1"}
        assert clerk.asked == 1

    told(story)


def test_token_request_without_an_answer_delays_every_caller_once() -> None:
    async def story() -> None:
        clerk = Clerk()
        tokens = AccessTokens(clerk.give, 0.2)
        begun = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(tokens.get() for _ in range(50)), return_exceptions=True)
        assert all(isinstance(answer, ProviderUnreachable) for answer in answers)
        assert asyncio.get_running_loop().time() - begun < 5  # not 50 times as long as one request
        assert clerk.asked == 1
        clerk.may_answer.set()
        assert await tokens.get() == "t1"
        await tokens.close()

    told(story)


def test_failed_token_request_fails_all_waiters_and_is_repeated_later() -> None:
    async def story() -> None:
        clerk = Clerk()
        clerk.fails = True
        clerk.may_answer.set()
        tokens = AccessTokens(clerk.give, 10)
        answers = await asyncio.gather(*(tokens.get() for _ in range(5)), return_exceptions=True)
        assert all(isinstance(answer, ProviderUnreachable) for answer in answers)
        assert clerk.asked == 1
        clerk.fails = False
        assert await tokens.get() == "t2"

    told(story)


def test_next_token_is_requested_while_the_last_is_valid() -> None:
    async def story() -> None:
        clerk = Clerk()
        clerk.may_answer.set()
        tokens = AccessTokens(clerk.give, 10)
        assert await tokens.get() == "t1"
        tokens._ends_at -= 800  # 100 of its 900 seconds are left
        clerk.may_answer.clear()
        # No call waits for the slow endpoint.
        assert [await tokens.get() for _ in range(20)] == ["t1"] * 20
        await asyncio.sleep(0)
        assert clerk.asked == 2
        clerk.may_answer.set()
        assert tokens._asking is not None
        await tokens._asking
        assert await tokens.get() == "t2"
        assert clerk.asked == 2

    told(story)


def test_rejected_token_is_dropped_and_a_newer_one_kept() -> None:
    async def story() -> None:
        clerk = Clerk()
        clerk.may_answer.set()
        tokens = AccessTokens(clerk.give, 10)
        assert await tokens.get() == "t1"
        tokens.drop("t1")
        assert await tokens.get() == "t2"
        tokens.drop("t1")  # a call that began with the old token
        assert await tokens.get() == "t2"

    told(story)


def test_cancelled_caller_does_not_cancel_the_token_request() -> None:
    async def story() -> None:
        clerk = Clerk()
        tokens = AccessTokens(clerk.give, 10)
        first, second = (asyncio.create_task(tokens.get()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        clerk.may_answer.set()
        assert await second == "t1"
        with pytest.raises(asyncio.CancelledError):
            await first

    told(story)


def test_slow_token_request_does_not_block_orders(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path, timeout_seconds=0.3) as bank:
            await bank.control("faults", token_delay_seconds=3)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            answers = await asyncio.gather(
                *(
                    bank.provider.open("qris", f"EM-{number}", Rupiah(10_000), soon())
                    for number in range(100)
                ),
                return_exceptions=True,
            )
            assert all(isinstance(answer, ProviderUnreachable) for answer in answers)
            assert loop.time() - begun < 20  # one after the other they would take 100 time-outs

    told(story)


def test_token_that_the_bank_forgot_is_replaced(tmp_path: Path) -> None:
    async def story() -> None:
        async with open_bank(tmp_path) as bank:
            await bank.paid("EM-1")
            no = '{"responseCode": "4014701", "responseMessage": "Invalid Token (B2B)"}'
            await bank.answers("generate", {"act": False, "status": 401, "body": no})
            await bank.paid("EM-2")

    told(story)
