"""Distributors and sales in the console: search by name or id, and timelines."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from meterai.distribution import store
from meterai.distribution.model import (
    DISTRIBUTOR_SUBJECT,
    SALE_KIND,
    SALE_SUBJECT,
    AgreedTerms,
    Sale,
    SaleKey,
    Steps,
    standing_of,
)
from meterai.kit.ids import read_typed, show
from meterai.kit.labels import REFERENCE_LENGTH_MAX
from meterai.kit.money import Rupiah
from meterai.kit.paging import ListPage
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.payments import returned_own
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows

SALES_TOLD_MAX = 50  # newest sales on the timeline of a distributor


def distributor_subject(account: UUID) -> Subject:
    """Return the console subject of a distributor."""
    return Subject(DISTRIBUTOR_SUBJECT.kind, show("acc", account), account)


def sale_subject(one: SaleKey) -> Subject:
    """Return the console subject of a sale."""
    return Subject(SALE_SUBJECT.kind, show(SALE_KIND, one.sale), one.account)


async def _find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    if (sale := read_typed(SALE_KIND, text)) is not None:
        found = await store.seller_of(tx, sale)
        return (sale_subject(found),) if found else ()
    if len(text) > REFERENCE_LENGTH_MAX:
        return ()
    return [distributor_subject(one.account) for one in await store.named(tx, text, limit)]


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.account is None:
        return ()
    match about.kind:
        case DISTRIBUTOR_SUBJECT.kind | SubjectKind.ACCOUNT:
            return await _of_distributor(tx, about.account)
        case SALE_SUBJECT.kind:
            sale = read_typed(SALE_KIND, about.shown)
            found = await store.sale(tx, about.account, sale) if sale else None
            return list(await _sale_happenings(tx, about.account, found)) if found else ()
        case SubjectKind.ORDER:
            order = read_typed("ord", about.shown)
            sold = await store.sale_of_order(tx, about.account, order) if order else None
            found = await store.sale(tx, sold.account, sold.sale) if sold else None
            if sold is None or found is None:
                return ()
            return [_made(found, sale_subject(sold))]
        case _:
            return ()


async def _of_distributor(tx: ReadTx, account: UUID) -> Sequence[Happening]:
    steps = await store.steps_of(tx, account)
    if steps is None:
        return ()
    happenings = list(
        _terms_happenings(await store.terms_of(tx, account), steps, distributor_subject(account))
    )
    sales = await store.sales(tx, account, ListPage().before, SALES_TOLD_MAX)
    return [*happenings, *(_made(one, sale_subject(SaleKey(account, one.id))) for one in sales)]


def _terms_happenings(
    terms: Sequence[AgreedTerms], steps: Steps, about: Subject
) -> Iterator[Happening]:
    for place, one in enumerate(terms):
        facts = {
            "name": one.name,
            "region": one.region,
            "fee": Rupiah(one.fee),
            "short": Sentence(f"distribution.short.{one.short}", {}),
        }
        word = "distributor_changed" if place else "distributor_approved"
        yield Happening(one.set_at, word, facts, about)
    for at, word in (
        (steps.opened_at, "distributor_opened"),
        (steps.low_at, "distributor_low"),
        (steps.closing_at, "distributor_closing"),
        (steps.closed_at, "distributor_closed"),
    ):
        if at is not None:
            yield Happening(at, word, {}, about)


def _made(one: Sale, about: Subject | None = None) -> Happening:
    facts = {
        "sale": show(SALE_KIND, one.id),
        "quantity": one.quantity,
        "total": Rupiah(one.total),
        "until": one.waits_until,
        "now": Sentence(f"distribution.sale.{one.state}", {}),
    }
    word = "sale_made" if about is None else "sale_of_distributor"
    return Happening(one.made_at, word, facts, about, begins=about is None)


async def _sale_happenings(tx: ReadTx, account: UUID, one: Sale) -> Iterator[Happening]:
    order = Subject(SubjectKind.ORDER, show("ord", one.order), one.buyer)
    states = {found.order: found.state for found in await store.orders_of(tx, [one])}
    standing = standing_of(one.state, states.get(one.order))
    happenings = [_made(one)]
    facts = {"order": order.shown, "now": Sentence(f"distribution.standing.{standing}", {})}
    happenings.append(Happening(one.made_at, "sale_order", facts, order))
    happenings.append(
        Happening(one.made_at, "sale_seller", {}, distributor_subject(account), for_staff=True)
    )
    if one.taken_at is not None:
        happenings.append(Happening(one.taken_at, "sale_taken", {"total": Rupiah(one.total)}))
    if one.ended_at is not None:
        happenings.append(Happening(one.ended_at, "sale_ended"))
    for back in await returned_own(tx, store.OWN_SQL.returned, account, one.id):
        facts = {"rupiah": Rupiah(back.amount), "refund": back.refund}
        happenings.append(Happening(back.at, "sale_returned", facts))
    return iter(happenings)


KNOWS = Knows(find=_find, tell=_tell)
