"""Two keys for one document over HTTP: concurrent, during and after the stamping, as in docs/api.md."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from meterai.accounts import AccountService
from meterai.stamping import StampingService
from tests.apps.test_doubles import PLACE, part
from tests.support.shop import TESTER, Shop
from tests.support.stamping_calls import PLACEMENTS, buy, let_leases_run_out, letter, reserving
from tests.support.within import Given, Within, within

ROUNDS = 6  # of two concurrent keys: their order is random


@dataclass
class Client:
    """A client with an API key."""

    shop: Shop
    web: Within
    authorization: str

    async def stamp(
        self, key: str | None, name: str, place: bytes = PLACE
    ) -> tuple[int, dict[str, Any]]:
        """POST /v1/stampings: status and body of the answer."""
        body = part("document", letter(name), f"{name}.pdf") + part("placement", place) + b"--zz--\r\n"  # fmt: skip
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "multipart/form-data; boundary=zz",
            **({"Idempotency-Key": key} if key else {}),
        }
        given: Given = await self.web.post("/v1/stampings", body, headers)
        found: dict[str, Any] = json.loads(given.body)
        return given.status, found

    async def balance(self) -> dict[str, int]:
        given = await self.web.get("/v1/balance", {"Authorization": self.authorization})
        found: dict[str, int] = json.loads(given.body)["stamps"]
        return found


@asynccontextmanager
async def client(shop: Shop) -> AsyncIterator[Client]:
    async with within(shop.container.settings) as web:
        accounts = web.container.of(AccountService)
        key = await accounts.create_api_key(shop.account, "test", actor=TESTER)
        yield Client(shop, web, f"Bearer {key}")


def refused(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    """Status of an answer, with its refusal or the state of the stamping."""
    return answer[0], str(answer[1].get("code", answer[1].get("state")))


IN_PROGRESS = (409, "request_in_progress")


def test_json_placement_equals_the_reserved_one() -> None:
    one = PLACEMENTS[0]
    assert json.loads(PLACE) == {"page": one.page, "x": one.x, "y": one.y, "width": one.width}


def test_concurrent_keys_find_one_lasting_answer(shop: Shop) -> None:
    buy(shop, 2 * ROUNDS)

    async def story() -> None:
        async with client(shop) as mine:
            for n in range(ROUNDS):
                keys = (f"a{n}", f"b{n}")
                at_once = await asyncio.gather(*(mine.stamp(key, f"Surat{n}") for key in keys))
                assert (201, "delivered") in map(refused, at_once)
                assert set(map(refused, at_once)) <= {(201, "delivered"), IN_PROGRESS}
                used = (await mine.balance())["used"]
                later = [await mine.stamp(key, f"Surat{n}") for key in keys * 2]
                assert {status for status, _ in later} == {201}
                for now, first in zip(later, [*at_once, *at_once], strict=True):
                    if first[0] == 201:
                        assert now[1]["id"] == first[1]["id"]
                    else:  # refused while the other stamping was being made, the key now finds that stamping
                        assert now[1]["id"] in {one.get("id") for _, one in at_once}
                assert (await mine.balance())["used"] == used

    shop.do(story())
    shop.assert_books_hold()


def test_key_refused_meanwhile_finds_the_stamping_it_joined(shop: Shop) -> None:
    """The only stamp is held: the second key costs nothing, now and later."""
    buy(shop, 1)
    shop.do(reserving(shop, "first", "Surat"))

    async def story() -> None:
        async with client(shop) as mine:
            for key in ("second", "first", "second"):
                assert refused(await mine.stamp(key, "Surat")) == IN_PROGRESS
            # A used key is also used for another document, while it is under way.
            for key in ("second", "first"):
                reused = refused(await mine.stamp(key, "Ijazah"))
                assert reused == (422, "idempotency_key_reused")
            # A request refused before a reservation has not used its key.
            assert refused(await mine.stamp("third", "Ijazah"))[1] == "not_enough_stamps"

    shop.do(story())
    let_leases_run_out(shop)

    async def after() -> None:
        async with client(shop) as mine:
            answers = [await mine.stamp(key, "Surat") for key in ("second", "first", "second")]
            assert [status for status, _ in answers] == [201] * 3
            untils = [one.pop("document_until") for _, one in answers]
            assert untils == sorted(untils)  # each request extends the time of the original
            assert len({json.dumps(one, sort_keys=True) for _, one in answers}) == 1
            assert await mine.balance() == {"available": 0, "held": 0, "used": 1}
            for key in ("second", "first"):
                reused = refused(await mine.stamp(key, "Ijazah"))
                assert reused == (422, "idempotency_key_reused")
            # Another key is another request, now that the first has ended.
            assert refused(await mine.stamp("fourth", "Surat"))[1] == "not_enough_stamps"

    shop.do(after())
    assert len(shop.rows("SELECT 1 FROM stampings")) == 1
    buy(shop, 2)

    async def paid() -> None:
        async with client(shop) as mine:
            for key, name in (("third", "Ijazah"), ("fourth", "Surat")):
                assert refused(await mine.stamp(key, name)) == (201, "delivered")
            assert (await mine.balance())["used"] == 3

    shop.do(paid())
    shop.assert_books_hold()


def test_failed_stamping_is_answered_to_every_joined_key(shop: Shop) -> None:
    buy(shop, 1)
    shop.do(reserving(shop, "first", "Surat"))

    async def meanwhile() -> None:
        async with client(shop) as mine:
            assert refused(await mine.stamp("second", "Surat")) == IN_PROGRESS

    shop.do(meanwhile())
    shop.arrange("UPDATE stampings SET due_at = now() - interval '1 second'")
    let_leases_run_out(shop)

    async def after() -> None:
        await shop.container.of(StampingService).resume()
        async with client(shop) as mine:
            for key in ("second", "first", "second"):
                status, told = await mine.stamp(key, "Surat")
                assert (told["code"], told["reason"]) == ("stamping_failed", "not_in_time")
                assert status == 422
            assert await mine.balance() == {"available": 1, "held": 0, "used": 0}
            assert refused(await mine.stamp("third", "Surat")) == (201, "delivered")

    shop.do(after())
    shop.assert_books_hold()


def test_other_placement_or_document_is_another_stamping(shop: Shop) -> None:
    buy(shop, 3)
    shop.do(reserving(shop, "first", "Surat"))
    place = b'{"page": 1, "x": 200, "y": 60, "width": 80}'

    async def story() -> None:
        async with client(shop) as mine:
            assert refused(await mine.stamp("second", "Surat", place)) == (201, "delivered")
            assert refused(await mine.stamp("third", "Ijazah")) == (201, "delivered")
            assert refused(await mine.stamp(None, "Ijazah"))[0] == 400

    shop.do(story())
    assert shop.balance().held == 1


@pytest.mark.parametrize("place", [b'{"page": 9, "x": 60, "y": 60, "width": 80}', b"nonsense"])
def test_key_of_a_document_that_was_refused_may_be_used_again(shop: Shop, place: bytes) -> None:
    buy(shop, 1)

    async def story() -> None:
        async with client(shop) as mine:
            assert (await mine.stamp("key", "Surat", place))[0] in (400, 422)
            assert refused(await mine.stamp("key", "Surat")) == (201, "delivered")

    shop.do(story())
