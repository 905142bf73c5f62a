"""Levers of refunds: ask unused stamps back for their owner."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from meterai import orders
from meterai.accounts import Permission
from meterai.commands import Effect, Forecast, Lever, Pull
from meterai.kit.ids import read, show
from meterai.kit.reasons import written_reason
from meterai.kit.subjects import Subject, SubjectKind
from meterai.orders import OrderSettings
from meterai.plumbing.database import ReadTx, Tx
from meterai.refunds import service


class RefundsAsk(msgspec.Struct, frozen=True):
    """An order whose unused stamps go back."""

    order: str


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


def _on_orders(subject: Subject) -> Mapping[str, str] | None:
    return {"order": subject.shown} if subject.kind is SubjectKind.ORDER else None


ASK = Lever(
    name="refunds ask",
    permission=Permission.CONSOLE_MONEY,
    arguments=RefundsAsk,
    forecast=_would_ask,
    carry_out=_ask,
    offered=_on_orders,
)
LEVERS = (ASK,)
