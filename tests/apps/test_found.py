"""A search costs one statement a room at most, by an index, also in tables of many rows."""

from typing import Any

import pytest

from meterai.kit.ids import new_id, show
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.payments import reference_of, refund_number
from meterai.plumbing.db.transactions import ReadTx
from tests.support.shop import Shop
from tests.support.timelines import OFFERS

SOME = new_id()
DIGEST = b"d" * 32


class _Counting(ReadTx):
    """Counts statements."""

    count = 0

    async def _asked(self, cursor: Any, query: str, parameters: tuple[object, ...]) -> Any:
        self.count += 1
        return await super()._asked(cursor, query, parameters)


TEXTS = {
    "order": show("ord", SOME),
    "stamping": show("stg", SOME),
    "refund": show("rfd", SOME),
    "suspense": show("sus", SOME),
    "account": show("acc", SOME),
    "reference": reference_of(SOME, SOME),
    "refund number": refund_number(SOME, SOME),
    "serial": SerialMaker(UNLEASED).make().text,
    "digest": DIGEST.hex(),
    "uuid": str(SOME),
    "address": "ani@example.id",
    "request": "0a1b2c3d4e5f",
    "name": "a name of something",
    "long": "x" * 200,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_search_sends_one_statement_a_room_at_most(shop: Shop, text: str) -> None:
    async def look() -> dict[str, int]:
        counts = {}
        async with shop.container.database.reading() as tx:
            for room, knows in OFFERS.knows.items():
                counting = _Counting(tx._connection)
                await knows.find(counting, text, 10)
                counts[room] = counting.count
        return counts

    counts = shop.do(look())
    assert max(counts.values()) <= 1, counts
