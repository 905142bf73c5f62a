"""Levers (staff actions with a forecast) for breaks: each resolves an item in suspense, and posts the ledger entries for it."""

from collections.abc import Awaitable, Callable
from functools import partial

import msgspec

from meterai import payments, refunds, suspense
from meterai.accounts import Permission, account_of
from meterai.commands import Effect, Forecast, Lever, Pull, offered_on
from meterai.kit.ids import read, read_typed, show
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import NotFound
from meterai.kit.subjects import Subject, SubjectKind
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.reconciliation.model import BreakKind, NotABreak
from meterai.suspense import Item, Resolution

NUMBER_LENGTH_MAX = 100  # characters of a number of a provider


class BreakItem(msgspec.Struct, frozen=True):
    """Argument of a lever (staff action) that needs only the id of an item in suspense (`sus_...`)."""

    item: str


class BreakMatch(msgspec.Struct, frozen=True):
    """Arguments of a match: an item in suspense, and the number of the payment or refund, or the id of the other item, that it
    belongs to.
    """

    item: str
    to: str


class BreakApply(msgspec.Struct, frozen=True):
    """Arguments: an item in suspense with money, the order that the money is for, and the mail address of the order's account."""

    item: str
    order: str
    email: str


class BreakReturn(msgspec.Struct, frozen=True):
    """Arguments: an item in suspense whose money the provider returned, and the provider's number of that refund."""

    item: str
    number: str


def _about(item: Item) -> Subject:
    return Subject(SubjectKind.SUSPENSE, show("sus", item.id))


def _forecast(word: str, item: Item, about: Subject | None = None, /, **facts: object) -> Forecast:
    rupiah = item.at_stake.value if item.at_stake else 0
    told: dict[str, object] = {"item": show("sus", item.id), "rupiah": rupiah, **facts}
    return Forecast([Effect(word, told, about or _about(item))], 1, rupiah)


async def _item(tx: ReadTx, shown: str, how: Resolution, pull: Pull) -> Item:
    written_reason(pull.reason)
    return await suspense.check_resolves(tx, read("sus", shown), how)


async def _end(tx: Tx, item: Item, how: Resolution, pull: Pull, note: str = "") -> None:
    said = f"{note}: {pull.reason}" if note else pull.reason
    await refunds.resolve_item(tx, item.id, how, actor=pull.actor, note=said)


# -- match -------------------------------------------------------------------------------------


def _grows(item: Item) -> int:
    """Return the rupiah in suspense of an item; if there are none, the rupiah by which the record exceeds the books."""
    return item.booked.value or item.difference or 0


async def _counterpart(tx: ReadTx, item: Item, to: str) -> Item | None:
    """Return the open item that `to` names and whose money balances the money of `item`. None if there is no such item and
    `item` has no money.

    Refuses `NotABreak` if `item` has money that no such item balances, since the books would not agree, or if `to` is empty or
    too long.
    """
    if (other := read_typed("sus", to)) is not None:
        found = [await suspense.check_resolves(tx, other, Resolution.MATCHED)]
    else:
        found = await suspense.open_about(tx, [to], [to])
    for one in found:
        is_settled = item.reason == BreakKind.SETTLEMENT_NOT_BOOKED
        is_account = one.reason == BreakKind.ACCOUNT_MOVED
        fits = (
            one.at_stake == item.at_stake
            if is_settled and is_account
            else _grows(one) == -_grows(item)
        )
        if one.id != item.id and fits and (is_account or _grows(item)):
            return one
    if _grows(item) or not to.strip() or len(to) > NUMBER_LENGTH_MAX:
        raise NotABreak("no open item is the counterpart of this one")
    return None


async def _would_match(tx: ReadTx, asked: BreakMatch, pull: Pull) -> Forecast:
    item = await _item(tx, asked.item, Resolution.MATCHED, pull)
    other = await _counterpart(tx, item, asked.to)
    if other is None:
        return _forecast("break_matched_to_number", item, to=asked.to)
    return _forecast("break_matched", item, to=show("sus", other.id))


async def _match(tx: Tx, asked: BreakMatch, pull: Pull) -> None:
    item = await _item(tx, asked.item, Resolution.MATCHED, pull)
    other = await _counterpart(tx, item, asked.to)
    await _end(tx, item, Resolution.MATCHED, pull, asked.to)
    if other is not None:
        await _end(tx, other, Resolution.MATCHED, pull, show("sus", item.id))


# -- apply, return -----------------------------------------------------------------------------


async def _would_apply(tx: ReadTx, asked: BreakApply, pull: Pull) -> Forecast:
    item = await _item(tx, asked.item, Resolution.APPLIED, pull)
    account, order = await account_of(tx, asked.email), read("ord", asked.order)
    await refunds.check_applies(tx, item, account, order)
    about = Subject(SubjectKind.ORDER, show("ord", order), account)
    return _forecast("break_applied", item, about, order=about.shown)


async def _apply(tx: Tx, asked: BreakApply, pull: Pull) -> None:
    item = await _item(tx, asked.item, Resolution.APPLIED, pull)
    account = await account_of(tx, asked.email)
    await _end(tx, item, Resolution.APPLIED, pull, asked.order)
    await refunds.apply(tx, item.id, account, read("ord", asked.order))


async def _would_return(tx: ReadTx, asked: BreakReturn, pull: Pull) -> Forecast:
    item = await _item(tx, asked.item, Resolution.RETURNED, pull)
    if not asked.number.strip() or len(asked.number) > NUMBER_LENGTH_MAX:
        raise NotFound("the item has no number of the provider")
    if await payments.refunds_by_provider_number(tx, asked.number.strip(), 1):
        raise NotABreak("the number belongs to one of our refunds")
    if item.booked.value:
        return _forecast("break_returned", item, number=asked.number)
    if item.reason != "refunded_there" or item.amount is None:
        raise NotABreak("the book has no money of this item")
    return _forecast("break_return_booked", item, number=asked.number)


async def _return(tx: Tx, asked: BreakReturn, pull: Pull) -> None:
    item = await _item(tx, asked.item, Resolution.RETURNED, pull)
    await _end(tx, item, Resolution.RETURNED, pull, asked.number)


# -- fee, write off, dismiss -------------------------------------------------------------------


def _would_end(
    how: Resolution, word: Callable[[Item], str]
) -> Callable[[ReadTx, BreakItem, Pull], Awaitable[Forecast]]:
    async def forecast(tx: ReadTx, asked: BreakItem, pull: Pull) -> Forecast:
        item = await _item(tx, asked.item, how, pull)
        return _forecast(word(item), item)

    return forecast


def _ends(how: Resolution) -> Callable[[Tx, BreakItem, Pull], Awaitable[None]]:
    async def carry_out(tx: Tx, asked: BreakItem, pull: Pull) -> None:
        await _end(tx, await _item(tx, asked.item, how, pull), how, pull)

    return carry_out


def _kept(item: Item) -> str:
    return "break_tax" if item.reason == BreakKind.TAX_NOT_BOOKED else "break_fee"


def _given_up(item: Item) -> str:
    return "break_gained" if _grows(item) > 0 else "break_lost"


_lever = partial(
    Lever, permission=Permission.CONSOLE_MONEY, offered=offered_on(SubjectKind.SUSPENSE, "item")
)
MATCH = _lever(name="breaks match", arguments=BreakMatch, forecast=_would_match, carry_out=_match)
APPLY = _lever(name="breaks apply", arguments=BreakApply, forecast=_would_apply, carry_out=_apply)
RETURN = _lever(
    name="breaks return", arguments=BreakReturn, forecast=_would_return, carry_out=_return
)
FEE = _lever(
    name="breaks fee",
    arguments=BreakItem,
    forecast=_would_end(Resolution.FEE, _kept),
    carry_out=_ends(Resolution.FEE),
)
WRITE_OFF = _lever(
    name="breaks write-off",
    arguments=BreakItem,
    forecast=_would_end(Resolution.WRITTEN_OFF, _given_up),
    carry_out=_ends(Resolution.WRITTEN_OFF),
    is_always_approved=True,
)
DISMISS = _lever(
    name="breaks dismiss",
    arguments=BreakItem,
    forecast=_would_end(Resolution.DISMISSED, lambda _: "break_dismissed"),
    carry_out=_ends(Resolution.DISMISSED),
)
LEVERS = (MATCH, APPLY, RETURN, FEE, WRITE_OFF, DISMISS)
