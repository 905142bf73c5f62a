"""Comparison of sales channels: their sales, deposits and waiting sales, and the channels that have trouble.

Sales are counted periodically by the worker (room `finance`); deposits and waiting sales are current.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from meterai.accounts import Permission
from meterai.console.model import ChannelStanding, Trouble, sorted_by_trouble, troubles_of
from meterai.distribution import DISTRIBUTOR_SUBJECT, DistributorStanding, standings
from meterai.finance import (
    NO_SELLER,
    ChannelReport,
    ChannelsCounted,
    SalesChannel,
    channels_counted,
)
from meterai.kit.days import day_of
from meterai.kit.ids import show
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Subject, WorkItem
from meterai.ledger import SOLD
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import WorkList
from meterai.webhooks import disabled_by_account

RETAIL = (SalesChannel.PAGE, SalesChannel.API)


@dataclass(frozen=True, slots=True)
class ChannelsShown:
    """All channels, the failing ones first.  Sales were counted up to `counted_until`; None before the first count."""

    counted_until: datetime | None
    channels: Sequence[ChannelStanding]

    @property
    def failing(self) -> Sequence[ChannelStanding]:
        """Return the channels that have at least one `Trouble`."""
        return [one for one in self.channels if one.troubles]


async def channels(tx: ReadTx, now: datetime) -> ChannelsShown:
    """Return every sales channel with its figures."""
    today = day_of(now)
    counted = await channels_counted(tx, today)
    sellers = await standings(tx, now)
    disabled = await disabled_by_account(tx)
    found = [
        *(_sold(ChannelStanding(channel=one, name=one), counted, NO_SELLER) for one in RETAIL),
        *_distributors(sellers, counted, disabled, now, today),
    ]
    return ChannelsShown(counted.until, sorted_by_trouble(found))


def _distributors(
    sellers: Sequence[DistributorStanding],
    counted: ChannelsCounted,
    disabled: Mapping[UUID, int],
    now: datetime,
    today: date,
) -> Iterable[ChannelStanding]:
    for one in sellers:
        taken = counted.taken_week.get(one.account, 0)
        standing = ChannelStanding(
            channel=SalesChannel.DISTRIBUTOR,
            name=one.name,
            account=one.account,
            region=one.region,
            state=one.state,
            deposit=one.deposit,
            mean=one.mean_rupiah,
            low_below=one.low_below,
            waiting_sales=one.waiting_sales,
            waiting_rupiah=one.waiting_rupiah,
            oldest_at=one.oldest_at,
            last_sale_at=one.last_sale_at,
            sold_on=counted.sold_on.get(one.account),
            lapsed=one.lapsed,
            made=taken + one.lapsed,
            endpoints_disabled=disabled.get(one.account, 0),
        )
        shown = _sold(standing, counted, one.account)
        yield replace(shown, troubles=tuple(troubles_of(shown, now, today)))


def _sold(one: ChannelStanding, counted: ChannelsCounted, seller: UUID) -> ChannelStanding:
    key = SalesChannel(one.channel), seller
    month = counted.month.get(key)
    return replace(
        one,
        stamps_today=_stamps(counted.today.get(key)),
        stamps_week=_stamps(counted.week.get(key)),
        stamps_month=_stamps(month),
        paid=month.paid if month else 0,
        executed=_executed(month) if month else 0,
        returned=month.returned if month else 0,
    )


def _stamps(report: ChannelReport | None) -> int:
    return report.figure("sold").stamps if report else 0


def _executed(report: ChannelReport) -> int:
    return report.sums.of("duty_payable", *SOLD) + report.sums.of("service_fee", *SOLD)


def subject(one: ChannelStanding) -> Subject:
    """Return the `Subject` that names a distributor in the console."""
    assert one.account is not None, "a channel of our own is never failing"
    return Subject(DISTRIBUTOR_SUBJECT.kind, show("acc", one.account), one.account)


def _since(one: ChannelStanding, now: datetime) -> datetime:
    worst = one.troubles[0]
    if worst in (Trouble.WAITING, Trouble.WAITING_LONG):
        return one.oldest_at or now
    return one.last_sale_at or now if worst is Trouble.SILENT else now


async def _failing(tx: ReadTx, _: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    found = (await channels(tx, now)).failing
    return [
        WorkItem(
            subject(one),
            _since(one, now),
            None,
            {
                "name": one.name,
                "why": Sentence(f"channels.trouble.{one.troubles[0]}", {}),
                "more": len(one.troubles) - 1 or "",
            },
        )
        for one in found[:limit]
    ]


WORK = (WorkList(name="channels", permission=Permission.CONSOLE_READ, waiting=_failing),)
