"""The part of finance in the console: search for closes and payouts, their timelines, and work lists of days to close and of
payouts under way.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from meterai.accounts import Permission
from meterai.finance import store
from meterai.finance.levers import subject
from meterai.finance.model import DAY_SUBJECT, PAYOUT_KIND, PAYOUT_SUBJECT, Payout, PayoutState
from meterai.finance.service import days_to_close
from meterai.kit.days import DAY, begin_of, last_settled
from meterai.kit.ids import read_typed
from meterai.kit.subjects import Happening, Subject, WorkItem
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import ReadTx
from meterai.room import Knows, WorkList


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


async def _find(tx: ReadTx, text: str, _limit: int) -> Sequence[Subject]:
    if (day := _day(text)) is not None:
        return (Subject(DAY_SUBJECT.kind, str(day)),) if await store.closes(tx, day, day, 1) else ()
    number = read_typed(PAYOUT_KIND, text)
    found = await store.payout(tx, number) if number else None
    return (subject(found),) if found else ()


async def _tell(tx: ReadTx, about: Subject) -> Sequence[Happening]:
    if about.kind == DAY_SUBJECT.kind and (day := _day(about.shown)):
        return [
            Happening(one.closed_at, "day_closed", {"entries": one.entries}, for_staff=True)
            for one in await store.closes(tx, day, day, 1)
        ]
    if about.kind == PAYOUT_SUBJECT.kind and (number := read_typed(PAYOUT_KIND, about.shown)):
        found = await store.payout(tx, number)
        return list(_of_payout(found)) if found else ()
    return ()


def _of_payout(one: Payout) -> Iterator[Happening]:
    facts: dict[str, object] = {
        "rupiah": one.amount,
        "month": f"{one.month:%Y-%m}",
        "billing": one.billing_code,
        "line": one.bank_line,
        "ntpn": one.ntpn,
        "why": one.why_failed,
    }
    begun = "payout_approved"
    yield Happening(
        one.approved_at, begun, facts, actor=one.approved_by, for_staff=True, begins=True
    )
    if one.sent_at is not None:
        yield Happening(one.sent_at, "payout_sent", facts, for_staff=True)
    if one.ended_at is not None:
        yield Happening(one.ended_at, f"payout_{one.state}", facts, for_staff=True)


async def _days(tx: ReadTx, _: Settings, now: datetime, limit: int) -> Sequence[WorkItem]:
    count, last = await days_to_close(tx, now), last_settled(now)
    days = [last - DAY * back for back in range(count)][::-1][:limit]
    return [
        WorkItem(Subject(DAY_SUBJECT.kind, str(day)), begin_of(day + DAY), begin_of(day + 2 * DAY))
        for day in days
    ]


async def _payouts(tx: ReadTx, _: Settings, _now: datetime, limit: int) -> Sequence[WorkItem]:
    return [
        WorkItem(
            subject(one),
            one.sent_at or one.approved_at,
            # The duty of a month is due by the 15th of the next (PMK 78/2024).
            begin_of((one.month + 31 * DAY).replace(day=16)),
            {"rupiah": one.amount, "sent": one.state == PayoutState.SENT or ""},
        )
        for one in (await store.open_payouts(tx))[:limit]
    ]


KNOWS = Knows(find=_find, tell=_tell)
WORK = (
    WorkList(name="days", permission=Permission.CONSOLE_FINANCE, waiting=_days),
    WorkList(name="payouts", permission=Permission.CONSOLE_FINANCE, waiting=_payouts),
)
