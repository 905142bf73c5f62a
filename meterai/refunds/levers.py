"""Levers of money: resolve an item in suspense, ask unused stamps back for their owner."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

import msgspec

from meterai import orders, suspense
from meterai.accounts import Permission, account_of
from meterai.commands import Effect, Forecast, Lever, Pull
from meterai.kit.ids import read, show
from meterai.kit.reasons import written_reason
from meterai.kit.refusal import Malformed
from meterai.kit.subjects import Subject, SubjectKind
from meterai.orders import OrderSettings
from meterai.plumbing.database import ReadTx, Tx
from meterai.refunds import service
from meterai.suspense import Resolution


class SuspenseResolve(msgspec.Struct, frozen=True):
    """An item in suspense, and how it ended; `applied` names an order and the address of its account."""

    item: str
    how: Literal["returned", "dismissed", "applied"]
    order: str = ""
    email: str = ""


class RefundsAsk(msgspec.Struct, frozen=True):
    """An order whose unused stamps go back."""

    order: str


async def _would_resolve(tx: ReadTx, asked: SuspenseResolve, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    if (asked.how == "applied") != bool(asked.order and asked.email):
        raise Malformed("order, email", "given")
    found = await suspense.check_resolves(tx, read("sus", asked.item), Resolution(asked.how))
    about = Subject(SubjectKind.SUSPENSE, show("sus", found.id))
    facts: dict[str, object] = {"item": about.shown}
    if asked.how == "applied":
        account, order = await account_of(tx, asked.email), read("ord", asked.order)
        await service.check_applies(tx, found, account, order)
        about = Subject(SubjectKind.ORDER, show("ord", order), account)
        facts |= {"rupiah": found.booked.value, "order": about.shown}
        return Forecast([Effect("suspense_applied", facts, about)], 1, found.booked.value)
    if found.booked.value:  # it is returned: no money is dismissed
        facts["rupiah"] = found.booked.value
        return Forecast([Effect("suspense_money_returned", facts, about)], 1, found.booked.value)
    if asked.how == "returned" and found.reason == "refunded_there" and found.amount is not None:
        facts["rupiah"] = found.amount.value
        return Forecast([Effect("suspense_return_booked", facts, about)], 1, found.amount.value)
    return Forecast([Effect("suspense_ends_without_money", facts, about)], 1)


async def _resolve(tx: Tx, asked: SuspenseResolve, pull: Pull) -> None:
    item = read("sus", asked.item)
    how = Resolution(asked.how)
    await service.resolve_item(tx, item, how, actor=pull.actor, note=pull.reason)
    if asked.how == "applied":
        account = await account_of(tx, asked.email)
        await service.apply(tx, item, account, read("ord", asked.order))


async def _would_ask(tx: ReadTx, asked: RefundsAsk, pull: Pull) -> Forecast:
    written_reason(pull.reason)
    key = await orders.key_of(tx, read("ord", asked.order))
    stamps, money = await service.unused(tx, *key)
    about = Subject(SubjectKind.ORDER, show("ord", key.order), key.account)
    facts = {"order": about.shown, "stamps": stamps, "rupiah": money.value}
    return Forecast([Effect("refund_asked_for_owner", facts, about)], stamps, money.value)


async def _ask(tx: Tx, asked: RefundsAsk, pull: Pull) -> None:
    account, order = await orders.key_of(tx, read("ord", asked.order))
    await service.unused(tx, account, order)  # a refund that was asked before is not asked again
    seconds = pull.settings.of(OrderSettings).stamps_due_seconds
    due_at = pull.at + timedelta(seconds=seconds)
    await service.ask(tx, account, order, None, due_at=due_at, actor=pull.actor)


def _on_items(subject: Subject) -> Mapping[str, str] | None:
    return {"item": subject.shown} if subject.kind is SubjectKind.SUSPENSE else None


def _on_orders(subject: Subject) -> Mapping[str, str] | None:
    return {"order": subject.shown} if subject.kind is SubjectKind.ORDER else None


RESOLVE = Lever(
    name="suspense resolve",
    permission=Permission.CONSOLE_MONEY,
    arguments=SuspenseResolve,
    forecast=_would_resolve,
    carry_out=_resolve,
    offered=_on_items,
)
ASK = Lever(
    name="refunds ask",
    permission=Permission.CONSOLE_MONEY,
    arguments=RefundsAsk,
    forecast=_would_ask,
    carry_out=_ask,
    offered=_on_orders,
)
LEVERS = (RESOLVE, ASK)
