"""Sales as a table: each sale of a span with how it stands, oldest first."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from uuid import UUID

from meterai.distribution import store
from meterai.distribution.model import SALE_KIND, Sale, standing_of
from meterai.distribution.statement import SECONDS_MAX, StatementSpan, Writer
from meterai.kit.clock import WIB
from meterai.kit.ids import show
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import BYTE_ORDER_MARK, Cell, csv_lines


def as_sales(reseller: UUID | None) -> Writer:
    """The writer of the sales of one reseller, or of a distributor and all of its own."""

    async def write(
        tx: ReadTx, account: UUID, of: StatementSpan, language: str
    ) -> AsyncIterator[bytes]:
        await tx.allow(SECONDS_MAX)
        at = of.begins
        names = {one.account: one.name for one in await store.resellers(tx, account, at)}
        head = translate("sales.columns", language).split("|")
        yield (BYTE_ORDER_MARK + csv_lines([head], language)).encode()
        await store.open_sales(tx, account, reseller, of.begins, of.ends)
        while some := await store.next_sales(tx):
            states = {one.order: one.state for one in await store.orders_of(tx, some)}
            rows = (_row(one, states.get(one.order), names, language) for one in some)
            yield csv_lines(rows, language).encode("utf-8", "replace")

    return write


def _row(sale: Sale, order: str | None, names: Mapping[UUID, str], language: str) -> list[Cell]:
    return [
        _wib(sale.made_at),
        show(SALE_KIND, sale.id),
        sale.reference or "",
        names[sale.reseller] if sale.reseller else "",
        sale.quantity,
        sale.total,
        translate(f"sale.stands.{standing_of(sale.state, order)}", language),
        sale.returned,
        show("ord", sale.order),
    ]


def _wib(at: datetime) -> str:
    return f"{at.astimezone(WIB):%Y-%m-%d %H:%M:%S}"
