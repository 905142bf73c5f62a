"""Collectors in the console: search by name or NPWP, timeline, and work lists of deposits, draws and months that wait
for staff.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from meterai.accounts import Permission
from meterai.collectors import store
from meterai.collectors.levers import NAME_LENGTH_MAX
from meterai.collectors.model import AgreedLimit, Collector, CollectorDeposit, Dates, MonthReport
from meterai.collectors.settings import CollectorSettings
from meterai.kit.days import DAY, Month, begin_of, day_of
from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import Sentence
from meterai.kit.subjects import Happening, Subject, SubjectKind, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList

CONFIRMED_WITHIN = timedelta(days=1)  # draws of the collector may wait for the confirmation
_BETWEEN_DIGITS = re.compile(r"[ .\-]")  # characters that are printed between the digits of an NPWP


def subject(account: UUID) -> Subject:
    """Return the console subject of a collector: its account. The page of the account offers the levers."""
    return Subject(SubjectKind.ACCOUNT, show("acc", account), account)


async def _find(tx: ReadTx, text: str, limit: int) -> Sequence[Subject]:
    if len(text) > NAME_LENGTH_MAX:
        return ()
    found = await store.named(tx, text, _BETWEEN_DIGITS.sub("", text), limit)
    return [subject(one.account) for one in found]


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.kind != SubjectKind.ACCOUNT or about.account is None:
        return ()
    found = await store.collector(tx, about.account)
    if found is None:
        return ()
    return [
        *_terms_happenings(found, await store.terms_of(tx, found.account)),
        *map(_deposit_happening, await store.deposits(tx, found.account)),
        *map(_report_happening, await store.reports(tx, found.account)),
    ]


def _terms_happenings(one: Collector, agreed: Sequence[AgreedLimit]) -> Iterator[Happening]:
    for terms in agreed:
        facts = {"name": terms.name, "npwp": terms.npwp, "limit": Rupiah(terms.limit_rupiah)}
        yield Happening(terms.set_at, "collector_agreed", facts)
    if one.closed_at is not None:
        yield Happening(one.closed_at, "collector_ended")


def _deposit_happening(one: CollectorDeposit) -> Happening:
    facts = {
        "rupiah": Rupiah(one.amount),
        "month": str(Month(one.month)),
        "ntpn": one.ntpn,
        "now": Sentence(f"collector.deposit.{one.state}", {}),
    }
    return Happening(one.told_at, "collector_deposit", facts)


def _report_happening(one: MonthReport) -> Happening:
    facts = {"month": str(Month(one.month)), "receipt": one.receipt}
    return Happening(begin_of(one.reported_on), "collector_filed", facts)


# -- work lists ----------------------------------------------------------------------------


async def _deposits(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one.account),
            one.told_at,
            one.told_at + CONFIRMED_WITHIN,
            {
                "name": one.name,
                "rupiah": Rupiah(one.amount),
                "month": str(Month(one.month)),
                "ntpn": one.ntpn,
            },
        )
        for one in await store.to_confirm(tx, limit)
    ]


async def _draws(tx: ReadTx, settings: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    waits = timedelta(seconds=settings.of(CollectorSettings).collector_waits_seconds)
    return [
        WorkItem(
            subject(one.account),
            one.since,
            one.since + waits,
            {
                "name": one.name,
                "draws": one.draws,
                "rupiah": Rupiah(one.rupiah),
                "limit": Rupiah(one.limit_rupiah),
            },
        )
        for one in await store.waiting(tx, limit)
    ]


async def _months(tx: ReadTx, settings: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    own, today = settings.of(CollectorSettings), day_of(now)
    shown = []
    for one in await store.months_open(tx, Month.of(today).first, limit):
        dates = Dates(Month(one.month), own.collector_deposit_day, own.collector_report_day)
        left = (dates.deposit_by - today).days
        facts = {
            "name": one.name,
            "rupiah": Rupiah(one.open),
            "month": str(dates.month),
            "by": str(dates.deposit_by),
            "left": str(left) if left >= 0 else "",
            "late": str(-left) if left < 0 else "",
        }
        due = begin_of(dates.deposit_by + DAY)
        shown.append(WorkItem(subject(one.account), begin_of(dates.month.next.first), due, facts))
    return shown


KNOWS = Knows(find=_find, tell=_tell)
WORK = tuple(
    WorkList(name=name, permission=Permission.CONSOLE_FINANCE, waiting=waiting)
    for name, waiting in (
        ("collector_deposits", _deposits),
        ("collector_draws", _draws),
        ("collector_months", _months),
    )
)
