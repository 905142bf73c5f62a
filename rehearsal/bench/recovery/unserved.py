"""Paid, unserved orders and interrupted stampings, as after an outage.

The product's own functions make everything: an order is placed, its QR is made, its payment is captured, and its job waits;
a stamping is reserved under an expired lease. So every invariant also holds before the recovery.
"""

import asyncio
import hashlib
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from meterai.accounts import AccountService
from meterai.documents import DocumentService
from meterai.kit.ids import new_id
from meterai.orders import OrderKind, OrderService, OrderTerms
from meterai.orders import store as order_store
from meterai.payments import store as payment_store
from meterai.payments.model import OpenedAttempt, PaymentQr
from meterai.plumbing.db.database import jsonb
from meterai.room import Container
from meterai.stamping import store as stamping_store
from meterai.stamps import SerialService
from standins.bank import qris
from tests.support.pdf import pdf
from tests.support.shop import PLACEMENT, TESTER

OF_ONE_ACCOUNT = 10
AT_ONCE = 8
DUE_SECONDS = 3_600.0  # of a stamping from the balance, as if it had begun a moment ago


async def _all(work: Sequence[Awaitable[None]]) -> None:
    """Run all calls, a few at the same time."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(task: Awaitable[None]) -> None:
        async with slots:
            await task

    await asyncio.gather(*(one(task) for task in work))


async def accounts(container: Container, count: int, drawing: random.Random) -> list[UUID]:
    """Make new accounts."""
    found: list[UUID] = []

    async def make(number: int) -> None:
        email = f"pemulihan{number}-{drawing.getrandbits(48):012x}@example.id"
        found.append(await container.of(AccountService).create(email, actor=TESTER))

    await _all([make(number) for number in range(count)])
    return sorted(found)


async def _terms(container: Container, account: UUID, quantity: int) -> OrderTerms:
    key = secrets.token_hex(8)
    service = container.of(OrderService)
    return await service.terms(account, key, b"request", OrderKind.STAMPS, quantity)


async def pay(container: Container, account: UUID, quantity: int) -> None:
    """Make an order whose payment was captured and is not posted to the order."""
    database, terms = container.database, await _terms(container, account, quantity)
    await database.call(order_store.PLACE, *terms.arguments())
    number = terms.attempt.hex[-20:]
    content = qris.payload(qris.DynamicQr(terms.total, number, "METERAI", "METERAI", "T1"))
    made = payment_store.opened(OpenedAttempt(PaymentQr(content), number))
    await database.call(payment_store.OPENED, *made, 900.0, account, terms.attempt)
    payment = f"P{number}"
    told = account, terms.attempt, payment, terms.total, "question"
    row = await database.call(payment_store.CAPTURE, *told)
    assert row is not None, "every capture has an outcome"
    assert row["outcome"] == "captured", row


async def paid(container: Container, count: int, drawing: random.Random) -> None:
    """Make `count` orders whose payments were captured, ten orders of each account, each of one to three stamps."""
    owners = await accounts(container, -(-count // OF_ONE_ACCOUNT), drawing)
    chosen = (owners[number // OF_ONE_ACCOUNT] for number in range(count))
    await _all([pay(container, owner, drawing.randint(1, 3)) for owner in chosen])


async def interrupt(container: Container, account: UUID, words: str) -> None:
    """Reserve a stamping with stamps of the account's balance, and leave it as if its process had died: under
    an expired lease. `words` are the text of its document.
    """
    content = await asyncio.to_thread(pdf, words=words)
    sha256, documents = hashlib.sha256(content).digest(), container.of(DocumentService)
    await documents.contents.put(sha256, content)
    serials = await container.of(SerialService).serials(1)
    about = documents.metadata(f"{words}.pdf", len(content), 1, wanted_seconds=DUE_SECONDS)
    request = secrets.token_bytes(32)
    row = await container.database.call(
        stamping_store.RESERVE,
        *(account, new_id(), secrets.token_hex(8), request, sha256),
        jsonb([PLACEMENT]),
        [one.text for one in serials],
        DUE_SECONDS,
        0.0,  # the lease has expired
        *about,
        False,  # noqa: FBT003 - of SQL
    )
    assert row is not None, "every reservation is a row"


async def interrupted(
    container: Container,
    count: int,
    drawing: random.Random,
    execute: Callable[[], Awaitable[None]],
) -> None:
    """Make `count` interrupted stampings, ten of each account, whose stamps are bought first; `execute`
    executes the paid orders.
    """
    owners = await accounts(container, -(-count // OF_ONE_ACCOUNT), drawing)
    await _all([pay(container, owner, OF_ONE_ACCOUNT) for owner in owners])
    await execute()
    words = (f"{drawing.getrandbits(64):016x}" for _ in range(count))
    await _all(
        [
            interrupt(container, owners[number // OF_ONE_ACCOUNT], text)
            for number, text in enumerate(words)
        ]
    )
