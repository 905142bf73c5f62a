"""A search costs one statement a room at most, by an index, also in tables of many rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from bench.audit import make
from meterai.accounts import store as account_store
from meterai.kit.ids import new_id, show
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.notifications import store as mail_store
from meterai.orders import store as order_store
from meterai.payments import reference_of, refund_number
from meterai.payments import store as payment_store
from meterai.payments.refunds import store as refund_store
from meterai.plumbing.db.transactions import ReadTx
from meterai.stamping import store as stamping_store
from meterai.stamps import store as stamp_store
from meterai.suspense import store as suspense_store
from meterai.trail import store as trail_store
from tests.support.shop import Shop
from tests.support.timelines import OFFERS

ORDERS = 8_000  # enough that an index costs less than the table
SOME = new_id()
DIGEST = b"d" * 32
NOW = datetime.now(UTC)
# Statement and parameters by room and query.
FILLED: dict[str, tuple[str, tuple[Any, ...]]] = {
    "orders by id": (order_store.BY_ID, (SOME,)),
    "orders half due": (order_store.HALF_DUE, (NOW, 450.0, NOW, 10)),
    "payments by number": (payment_store.BY_ANY_NUMBER, ("P1", "P1", 10)),
    "refunds by id": (refund_store.BY_ID, (SOME,)),
    "refunds by number": (refund_store.BY_PROVIDER_NUMBER, ("R1", 10)),
    "refunds open": (refund_store.OPEN, (10,)),
    "stampings by id": (stamping_store.BY_ID, (SOME,)),
    "stampings by digest": (stamping_store.BY_DIGEST, (DIGEST, DIGEST, 10)),
    "stampings stuck": (stamping_store.STUCK, (NOW, 10)),
    "stamps by serial": (stamp_store.OWNERS, ("0" * 22, "0" * 22)),
    "mails of causes": (mail_store.OF_CAUSES, (SOME, ["a", "b"])),
    "mails not sent": (mail_store.NOT_SENT, (NOW, 10)),
    "trail of a request": (trail_store.OF_REQUEST, ("a-request", 10)),
    "trail of a thing": (trail_store.OF_SUBJECT, ([SOME, new_id()], "ord_1", 10)),
    "trail of an account": (trail_store.OF_ACCOUNT, (SOME, 10)),
}
# Statements over tables with few rows here; the planner is forced to use an index if one fits.
FEW: dict[str, tuple[str, tuple[Any, ...]]] = {
    "orders by reference": (order_store.BY_REFERENCE, ("A-1", 10)),
    "stampings by reference": (stamping_store.BY_REFERENCE, ("A-1", 10)),
    "suspense by number": (suspense_store.BY_NUMBER, ("EM1", "EM1", 10)),
    "suspense of references": (suspense_store.OF_REFERENCES, (["EM1"], 10)),
    "keys near their end": (account_store.KEYS_NEAR_END, (NOW, NOW, 10)),
    "given up by number": (mail_store.GIVEN_UP_ACCOUNTS, (SOME, SOME)),
}


@pytest.fixture(scope="module")
def filled(server: str, template: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE filled TEMPLATE {template} STRATEGY FILE_COPY".encode())
    url = server.replace("/postgres?", "/filled?")
    make(url, 0, ORDERS - 1, 2, NOW - timedelta(days=1))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE")
        yield connection
    with psycopg.connect(server, autocommit=True) as owner:
        owner.execute("DROP DATABASE filled WITH (FORCE)")


def _plan(connection: psycopg.Connection[Any], query: str, given: tuple[Any, ...]) -> str:
    rows = connection.execute(f"EXPLAIN {query}".encode(), given).fetchall()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("name", FILLED)
def test_query_reads_an_index(filled: psycopg.Connection[Any], name: str) -> None:
    assert "Seq Scan" not in _plan(filled, *FILLED[name])


@pytest.mark.parametrize("name", FEW)
def test_query_has_a_suitable_index(filled: psycopg.Connection[Any], name: str) -> None:
    with filled.transaction():
        filled.execute("SET LOCAL enable_seqscan = off")
        assert "Seq Scan" not in _plan(filled, *FEW[name])


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
