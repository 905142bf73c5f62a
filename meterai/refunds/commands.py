"""Say how an item in suspense ended, whose money is then booked as a refund."""

from typing import Literal

from meterai import suspense
from meterai.accounts import account_of
from meterai.commands import (
    NO_OPTIONS,
    By,
    OptionalText,
    Options,
    Text,
    line,
    operator,
    with_database,
)
from meterai.kit.ids import read
from meterai.kit.refusal import Malformed
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Tx
from meterai.refunds.service import apply, book_as_told


def resolve_item(
    item: Text,
    how: Literal["returned", "dismissed", "applied"],
    *,
    note: Text,
    order: OptionalText = None,
    email: OptionalText = None,
    by: By = None,
    options: Options = NO_OPTIONS,
) -> None:
    """Say how an item in suspense ended.

    `returned`: the bank gave its money back to the payer (--note: the bank's number of that).
    `applied`: its money is for an order (--order, and --email of its account) that waits for exactly this sum.
    `dismissed`: somebody looked, it holds no money, and there is nothing to do (--note: why).
    """
    identifier, actor = read("sus", item), operator(by)

    if (how == "applied") != (order is not None and email is not None):
        raise Malformed("order, email", "given")

    async def decide(tx: Tx) -> None:
        if how == "returned":
            await book_as_told(tx, identifier)
        resolution = suspense.Resolution(how)
        await suspense.resolve(tx, identifier, resolution, actor=actor, note=note)
        if order is not None and email is not None:
            await apply(tx, identifier, await account_of(tx, email), read("ord", order))

    async def resolve(database: Database, _: Settings) -> None:
        await database.run(decide)

    with_database("suspense resolve", options, resolve)
    line(f"{item} is {how}")
