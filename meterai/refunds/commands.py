"""Commands of refunds: ask, list, show, retry, reroute; decisions on accounts of buyers; balances of float accounts."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

from cyclopts import Parameter

from meterai import approvals, payments
from meterai.commands import (
    NO_OPTIONS,
    By,
    DryRun,
    Lever,
    Options,
    Text,
    line,
    with_database,
)
from meterai.kit.clock import SystemClock
from meterai.kit.ids import read, show
from meterai.kit.money import Rupiah
from meterai.kit.refusal import NotFound
from meterai.payments import Refund, RefundState, Way
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.messages import format_datetime, translate
from meterai.refunds import knows
from meterai.refunds.levers import (
    ACCEPT,
    ASK,
    DECLINE,
    REROUTE,
    RETRY,
    AccountNamed,
    RefundNamed,
    RefundsAsk,
)
from meterai.room.timelines import line as told_line

LOOKED_AT_MAX = 10_000  # open refunds in a list, by due time
LISTED_MAX = 100
LATE_DAYS = (1, 3, 7)  # bounds of the buckets of lateness, in days
Answer = TypeVar("Answer")
OfState = Annotated[
    RefundState | None, Parameter(name="--state", help="Only refunds in this state.")
]
OfWay = Annotated[Way | None, Parameter(name="--way", help="Only refunds by this way.")]
PastDue = Annotated[bool, Parameter(negative="", help="Only refunds past their due time.")]


def _asked(command: str, options: Options, ask: Callable[[ReadTx], Awaitable[Answer]]) -> Answer:
    async def look(database: Database, _: Settings) -> Answer:
        async with database.reading() as tx:
            return await ask(tx)

    return with_database(command, options, look)


def ask(
    order: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Give the unused stamps of an order back for its owner, and begin the refund of their money."""
    done = approvals.pull(options, ASK, RefundsAsk(order), by=by, reason=reason, dry_run=dry_run)
    line(f"{done.rows} stamps of {order} go back, and Rp {done.rupiah} with them")


def list_refunds(
    *,
    state: OfState = None,
    way: OfWay = None,
    past_due: PastDue = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Show open refunds by due time, then number and rupiah of the refunds for each way of the money and each lateness."""
    now = SystemClock().now()
    found = [
        one
        for one in _asked(
            "refunds list", options, lambda tx: payments.open_refunds(tx, LOOKED_AT_MAX)
        )
        if state in (None, one.state) and way in (None, one.way)
        if not past_due or one.due_at <= now
    ]
    for one in found[:LISTED_MAX]:
        line(_row(one))
    if len(found) > LISTED_MAX:
        line(f"and {len(found) - LISTED_MAX} more")
    _ages(found, now)


def _row(one: Refund) -> str:
    stage = payments.stage_of(one)
    return (
        f"{show('rfd', one.id)} {one.amount} way={one.way} stage={stage} due={one.due_at.isoformat()}"
        f" tries={one.tries}" + (f" answer={one.last_answer!r}" if one.last_answer else "")
    )


def _ages(found: list[Refund], now: datetime) -> None:
    """Print the number of refunds and their rupiah, by way (the route of the money) and by lateness."""
    refunds, rupiah = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in found:
        key = one.way, _late(now - one.due_at)
        refunds[key] += 1
        rupiah[key] += one.amount.value
    for (way, late), count in sorted(refunds.items()):
        line(f"way={way} late={late} refunds={count} sum={Rupiah(rupiah[way, late])}")
    line(f"open: {len(found)}, {Rupiah(sum(rupiah.values()))}")


def _late(by: timedelta) -> str:
    if by <= timedelta(0):
        return "no"
    days = next((days for days in LATE_DAYS if by < timedelta(days=days)), None)
    return f"<{days}d" if days else f">={LATE_DAYS[-1]}d"


def show_refund(refund: Text, *, options: Options = NO_OPTIONS) -> None:
    """Show a refund with its timeline and its next step; REFUND is its id, our number or the bank's number."""

    async def look(tx: ReadTx) -> list[str]:
        subjects = await knows.find(tx, refund, 10)
        if not subjects:
            raise NotFound("no refund has this number")
        told: list[str] = []
        for subject in subjects:
            told += [
                f"{subject.shown} of {show('acc', subject.account) if subject.account else '-'}"
            ]
            for happening in await knows.tell(tx, subject):
                one = told_line(happening, "en")
                told.append(f"{one.at}  {one.sentence}")
            told += await _state_lines(tx, subject.shown)
        return told

    for one in _asked("refunds show", options, look):
        line(one)


async def _state_lines(tx: ReadTx, shown: str) -> list[str]:
    """Return lines on the state of a refund and its next step; an empty list if `shown` is not the id of a refund."""
    found = await payments.refunds_by_id(tx, read("rfd", shown)) if shown.startswith("rfd_") else []
    told = []
    for one in found:
        paid = await payments.compensations_of(tx, one.account, [one.began_as])
        payee = await payments.current_payee(tx, one.account)
        stage = payments.stage_of(one)
        told += [
            _row(one),
            f"order: {show('ord', one.subject)}",
            f"number: {one.number}, of the bank: {one.provider_number or '-'}",
            f"account named: {format_datetime(payee.named_at, 'en') if payee and payee.named_at else '-'}",
            f"for lateness: {paid.get(one.began_as, Rupiah(0))}",
            f"next: {translate(f'next.refund.{stage}', 'en')}",
        ]
    return told


def _pull(
    options: Options,
    lever: Lever,
    arguments: RefundNamed | AccountNamed,
    said: str,
    *,
    by: str | None,
    reason: str,
    dry_run: bool,
) -> None:
    approvals.pull(options, lever, arguments, by=by, reason=reason, dry_run=dry_run)
    line(said)


def retry(
    refund: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Send an open refund again at once, by its provider or by the transfer that carries it."""
    named, said = RefundNamed(refund), f"{refund} is tried again"
    _pull(options, RETRY, named, said, by=by, reason=reason, dry_run=dry_run)


def reroute(
    refund: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Take a refund from its provider: its buyer is asked to name a bank account, to which the money is transferred."""
    named, said = RefundNamed(refund), f"{refund} goes by another way"
    _pull(options, REROUTE, named, said, by=by, reason=reason, dry_run=dry_run)


def accept_account(
    claim: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Send the waiting money to a typed account (clm_...) that was held, or whose holder's name differs from the typed one."""
    named, said = AccountNamed(claim), f"{claim} receives the waiting refunds"
    _pull(options, ACCEPT, named, said, by=by, reason=reason, dry_run=dry_run)


def decline_account(
    claim: Text,
    *,
    reason: Text,
    by: By = None,
    dry_run: DryRun = False,
    options: Options = NO_OPTIONS,
) -> None:
    """Decline a typed account (clm_...); its buyer gets a mail and may name another account."""
    named, said = AccountNamed(claim), f"{claim} is not accepted"
    _pull(options, DECLINE, named, said, by=by, reason=reason, dry_run=dry_run)


def show_float(*, options: Options = NO_OPTIONS) -> None:
    """Show the accounts that transfers are paid from: balances, money to be paid, and days that the balances last."""
    found = _asked("refunds float", options, payments.floats)
    for one in found.balances:
        line(
            f"{one.provider}: {one.rupiah} at {one.asked_at.isoformat()}, sent since {one.sent_since},"
            f" free {Rupiah(one.free)}"
        )
    need = found.need
    line(
        f"open by transfer {Rupiah(need.by_transfer)}, waiting for accounts {Rupiah(need.by_claim)},"
        f" settled in {need.days} days {Rupiah(need.settled)}"
    )
    days = "no recent need" if found.days is None else f"{found.days:.1f} days"
    line(f"free {Rupiah(found.free)}: {days}")
