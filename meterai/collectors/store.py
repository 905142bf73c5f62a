"""SQL of collectors, one function per query."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from meterai.collectors.model import (
    AgreedLimit,
    Collector,
    CollectorDeposit,
    CollectorTerms,
    DepositToConfirm,
    Draw,
    DrawsWaiting,
    ListedStamping,
    MonthDue,
    MonthOpen,
    MonthReport,
    OfCollector,
    Unstamped,
    WaitingDraws,
)
from meterai.kit.ids import new_id
from meterai.payments import OwnSql
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

TAKING, REMINDING = "take_waiting_draws", "remind_collectors"  # periodic tasks
TAKEN_AT_ONCE = 200  # draws that one transaction takes
_OF = """
SELECT c.account_id AS account, c.state, c.approved_at, c.closed_at, t.collector AS name, t.npwp, t.nitku, t.limit_rupiah
FROM collectors c JOIN collector_terms t ON t.account_id = c.account_id AND t.terms_id = c.terms_id
"""
DRAW = "SELECT credit_draw(%s, %s, %s, %s, %s)"
TO_TAKE = f"""
SELECT o.account_id AS account FROM collectors o WHERE {not_paused(TAKING, "account_id")}
    AND EXISTS (SELECT 1 FROM credit_draws d WHERE d.account_id = o.account_id AND d.state = 'waiting')
LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - names are constants
OWN_SQL = OwnSql(
    give_back="SELECT credit_return(%s, %s, %s, %s)",
    returned="SELECT refund_no AS refund, amount, returned_at AS at FROM credit_returns"
    " WHERE account_id = %s AND draw_id = %s ORDER BY returned_at, refund_no",
    moves="""
SELECT at, account, id, account AS buyer, id AS attempt, amount, refund FROM (
    SELECT taken_at AS at, account_id AS account, draw_id AS id, amount, '' AS refund
    FROM credit_draws WHERE taken_at >= %s AND taken_at < %s
    UNION ALL
    SELECT returned_at, account_id, draw_id, amount, refund_no
    FROM credit_returns WHERE returned_at >= %s AND returned_at < %s) AS moves
ORDER BY at, account, id, refund
""",
)
_DEPOSIT = """
SELECT deposit_id AS id, ntpn, month, amount, paid_on, state, told_at FROM collector_deposits
"""
TO_REMIND = f"""
SELECT o.account_id AS account FROM collectors o WHERE {not_paused(REMINDING, "account_id")}
    AND credit_month(o.approved_at) <= %s
    AND NOT EXISTS (SELECT 1 FROM collector_reminders r WHERE r.account_id = o.account_id AND r.month = %s AND r.day >= %s)
    AND (NOT EXISTS (SELECT 1 FROM collector_reports p WHERE p.account_id = o.account_id AND p.month = %s)
        OR EXISTS (SELECT 1 FROM collector_dues(o.account_id) d WHERE d.month = %s AND d.open > 0))
LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608
_UNSTAMPED = """
SELECT document_id AS id, type, number, dated, value, party_name, identity_kind, identity_number, happened_at, reason
FROM unstamped_documents WHERE account_id = %s AND month = %s ORDER BY happened_at, document_id
"""
_LISTED = """
SELECT stamping, at, document, state, refused, quantity, serials, type, number, dated, value, party_name, identity_kind,
    identity_number
FROM stampings_told(%s, %s, %s) WHERE state = %s ORDER BY at, stamping
"""
_COLLECTORS = RowMapper(Collector)
_MONTHS = RowMapper(MonthDue)
_DRAWS = RowMapper(Draw)
_WAITS = RowMapper(WaitingDraws)
_OF_COLLECTORS = RowMapper(OfCollector)
_DEPOSITS = RowMapper(CollectorDeposit)
_REPORTS = RowMapper(MonthReport)
_UNSTAMPED_ROWS = RowMapper(Unstamped)
_LISTED_ROWS = RowMapper(ListedStamping)


async def collector(tx: ReadTx, account: UUID) -> Collector | None:
    """Return a collector; None if the account never was a collector."""
    return await tx.one_as(_COLLECTORS, f"{_OF} WHERE c.account_id = %s", account)


async def collectors(tx: ReadTx) -> list[Collector]:
    """Return every collector, ordered by name."""
    return await tx.all_as(_COLLECTORS, f"{_OF} ORDER BY t.collector, c.account_id")


async def set_terms(tx: Tx, account: UUID, terms: CollectorTerms) -> UUID:
    """Insert agreed terms. Return their id."""
    made = new_id()
    await tx.run(
        "INSERT INTO collector_terms (account_id, terms_id, collector, npwp, nitku, limit_rupiah) VALUES (%s, %s, %s, %s, %s, %s)",
        account,
        made,
        *terms,
    )
    return made


async def approve(tx: Tx, account: UUID, terms: UUID) -> bool:
    """Make an organization a collector, for the first time or again. Return False if it already is a collector."""
    return bool(
        await tx.run(
            "INSERT INTO collectors (account_id, terms_id) VALUES (%s, %s)"
            " ON CONFLICT ON CONSTRAINT collectors_pkey DO UPDATE SET state = 'open', closed_at = NULL,"
            " terms_id = excluded.terms_id WHERE collectors.state = 'closed'",
            account,
            terms,
        )
    )


async def change(tx: Tx, account: UUID, terms: UUID) -> None:
    """Set the current terms of a collector, by their id."""
    await tx.run("UPDATE collectors SET terms_id = %s WHERE account_id = %s", terms, account)


async def close(tx: Tx, account: UUID) -> None:
    """Close a collector; waiting draws end with their orders."""
    await tx.run(
        "UPDATE collectors SET state = 'closed', closed_at = now() WHERE account_id = %s AND state = 'open'",
        account,
    )


async def lock(tx: Tx, account: UUID) -> None:
    """Lock a collector until the transaction ends."""
    await tx.run("SELECT 1 FROM collectors WHERE account_id = %s FOR UPDATE", account)


async def draw(
    tx: Tx, account: UUID, attempt: UUID, amount: int, stop_day: int, free_months: int
) -> str | None:
    """Draw the amount of an attempt from the collector's credit; see sql/functions/credit_draw.sql.

    Returns the reason why the draw waits, or an empty text if it was taken; None if the account is no longer a collector.
    """
    found: str | None = await tx.value(DRAW, account, attempt, amount, stop_day, free_months)
    return found


async def take_waiting(tx: Tx, account: UUID, stop_day: int, free_months: int) -> int:
    """Take waiting draws on a collector's credit, the oldest first, up to the first that is not allowed.

    Returns the number of draws taken.
    """
    return int(
        await tx.value(
            "SELECT credit_take_waiting(%s, %s, %s, %s)",
            account,
            TAKEN_AT_ONCE,
            stop_day,
            free_months,
        )
    )


async def end(tx: Tx, account: UUID, draw: UUID) -> bool:
    """End a waiting draw. Return False if the draw was taken."""
    return bool(await tx.value("SELECT credit_end(%s, %s)", account, draw))


async def draw_of(tx: ReadTx, account: UUID, draw: UUID) -> Draw | None:
    """Return a draw on a collector's credit; None if no such draw exists."""
    return await tx.one_as(
        _DRAWS,
        "SELECT amount, state FROM credit_draws WHERE account_id = %s AND draw_id = %s",
        account,
        draw,
    )


async def waits(tx: ReadTx, account: UUID) -> WaitingDraws:
    """Return number and rupiah of the draws of a collector that wait for credit."""
    found = await tx.one_as(
        _WAITS,
        "SELECT count(*)::integer AS draws, coalesce(sum(amount), 0)::bigint AS rupiah FROM credit_draws"
        " WHERE account_id = %s AND state = 'waiting'",
        account,
    )
    assert found is not None, "an aggregate has a row"
    return found


async def stops(tx: Tx, account: UUID, amount: int, stop_day: int, free_months: int) -> str | None:
    """Return the reason why a collector may not draw an amount now; None if it may."""
    found: str | None = await tx.value(
        "SELECT credit_stops(%s, %s, %s, %s)", account, amount, stop_day, free_months
    )
    return found


async def to_take(tx: Tx, limit: int) -> list[OfCollector]:
    """Return collectors with draws that wait for credit."""
    return await tx.all_as(_OF_COLLECTORS, TO_TAKE, limit)


async def months(tx: ReadTx, account: UUID) -> list[MonthDue]:
    """Return what a collector drew, gave back, deposited and owes in each month, the oldest month first."""
    return await tx.all_as(
        _MONTHS,
        "SELECT month, drawn, returned, deposited, open, surplus FROM collector_dues(%s)",
        account,
    )


async def tell_deposit(
    tx: Tx, account: UUID, ntpn: str, month: date, amount: int, paid_on: date
) -> UUID:
    """Insert a reported deposit. Return its id. The caller has locked the collector, and no deposit has this receipt."""
    made = new_id()
    await tx.run(
        "INSERT INTO collector_deposits (account_id, deposit_id, ntpn, month, amount, paid_on) VALUES (%s, %s, %s, %s, %s, %s)",
        account,
        made,
        ntpn,
        month,
        amount,
        paid_on,
    )
    return made


async def unconfirmed_rupiah(tx: ReadTx, account: UUID, month: date) -> int:
    """Return the rupiah of reported deposits of a month that are not confirmed."""
    return int(
        await tx.value(
            "SELECT coalesce(sum(amount), 0)::bigint FROM collector_deposits"
            " WHERE account_id = %s AND month = %s AND state = 'told'",
            account,
            month,
        )
    )


async def deposits(tx: ReadTx, account: UUID) -> list[CollectorDeposit]:
    """Return deposits of a collector, the newest first."""
    return await tx.all_as(
        _DEPOSITS, f"{_DEPOSIT} WHERE account_id = %s ORDER BY deposit_id DESC", account
    )


async def deposit_of(tx: ReadTx, account: UUID, ntpn: str) -> CollectorDeposit | None:
    """Return the deposit with this NTPN, unless it was withdrawn; None if no such deposit exists."""
    return await tx.one_as(
        _DEPOSITS,
        f"{_DEPOSIT} WHERE account_id = %s AND ntpn = %s AND state <> 'withdrawn'",
        account,
        ntpn,
    )


async def is_ntpn_of_another_account(tx: ReadTx, account: UUID, ntpn: str) -> bool:
    """True if a deposit of another account has this NTPN."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT 1 FROM collector_deposits WHERE ntpn = %s AND account_id <> %s AND state <> 'withdrawn')",
            ntpn,
            account,
        )
    )


async def withdraw(tx: Tx, account: UUID, ntpn: str) -> bool:
    """Withdraw a reported deposit. Return False if no deposit has this NTPN, or it is confirmed."""
    return bool(
        await tx.run(
            "UPDATE collector_deposits SET state = 'withdrawn', withdrawn_at = now()"
            " WHERE account_id = %s AND ntpn = %s AND state = 'told'",
            account,
            ntpn,
        )
    )


async def confirm(tx: Tx, account: UUID, deposit: UUID) -> None:
    """Confirm a reported deposit. Refuses `DepositBeyondDue`, `NtpnUsed`."""
    await tx.run("SELECT collector_confirm(%s, %s)", account, deposit)


async def report(tx: Tx, account: UUID, month: date, receipt: str, reported_on: date) -> None:
    """Store that the tax return of a month was filed, in place of an earlier report about the month."""
    await tx.run(
        "INSERT INTO collector_reports (account_id, month, receipt, reported_on) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT ON CONSTRAINT collector_reports_pkey DO UPDATE"
        " SET receipt = excluded.receipt, reported_on = excluded.reported_on, told_at = excluded.told_at",
        account,
        month,
        receipt,
        reported_on,
    )


async def reports(tx: ReadTx, account: UUID) -> list[MonthReport]:
    """Return the filed tax returns of a collector."""
    return await tx.all_as(
        _REPORTS,
        "SELECT month, receipt, reported_on FROM collector_reports WHERE account_id = %s",
        account,
    )


async def to_remind(tx: Tx, month: date, day: int, limit: int) -> list[OfCollector]:
    """Return collectors with open duty or no filed tax return of a month, that got no reminder on `day` or later."""
    return await tx.all_as(_OF_COLLECTORS, TO_REMIND, month, month, day, month, month, limit)


async def remind(tx: Tx, account: UUID, month: date, day: int, what: str) -> bool:
    """Record that a collector gets a reminder of a month on a reminder day. Return False if that was recorded before.

    `what` says what is missing for the month: the `deposit`, or the tax return (`report`).
    """
    return bool(
        await tx.run(
            "INSERT INTO collector_reminders (account_id, month, day, what) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT ON CONSTRAINT collector_reminders_pkey DO NOTHING",
            account,
            month,
            day,
            what,
        )
    )


async def tell_unstamped(
    tx: Tx,
    account: UUID,
    month: date,
    facts: Sequence[object],
    happened_at: datetime,
    reason: str,
) -> bool:
    """Insert a document that could not be stamped, with `facts` from `DocumentFacts.columns`. Return False if the
    document was reported before.
    """
    return bool(
        await tx.run(
            "INSERT INTO unstamped_documents (account_id, month, document_id, type, number, dated, value, party_name,"
            " identity_kind, identity_number, happened_at, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (account_id, month, type, number) DO NOTHING",
            account,
            month,
            new_id(),
            *facts,
            happened_at,
            reason,
        )
    )


async def unstamped(tx: ReadTx, account: UUID, month: date) -> list[Unstamped]:
    """Return the documents of a month that could not be stamped."""
    return await tx.all_as(_UNSTAMPED_ROWS, _UNSTAMPED, account, month)


async def stampings(
    tx: ReadTx, account: UUID, begins: datetime, ends: datetime, state: str
) -> list[ListedStamping]:
    """Return stampings of a collector that ended in the state `state` within a period, the oldest first."""
    return await tx.all_as(_LISTED_ROWS, _LISTED, account, begins, ends, state)


async def demand_facts(tx: Tx, account: UUID, *, is_demanded: bool) -> None:
    """Set whether each document of an account must state all facts that the law demands."""
    await tx.run("SELECT facts_demand(%s, %s)", account, is_demanded)


# -- for staff -----------------------------------------------------------------------------

_TERMS = RowMapper(AgreedLimit)
_TO_CONFIRM = RowMapper(DepositToConfirm)
_WAITING = RowMapper(DrawsWaiting)
_OPEN = RowMapper(MonthOpen)
_NAMED = """
FROM collectors c JOIN collector_terms t ON t.account_id = c.account_id AND t.terms_id = c.terms_id
"""

_MONTHS_OPEN = f"""
SELECT c.account_id AS account, t.collector AS name, d.month, d.open {_NAMED}
CROSS JOIN LATERAL collector_dues(c.account_id) d WHERE d.month < %s AND d.open > 0
    AND EXISTS (SELECT 1 FROM collector_months m WHERE m.account_id = c.account_id AND m.month < %s
        AND m.drawn > m.returned + m.deposited)
ORDER BY d.month, account LIMIT %s
"""  # noqa: S608 - names are constants


async def named(tx: ReadTx, name: str, npwp: str, limit: int) -> list[OfCollector]:
    """Return collectors with this name (ignoring case) or with this NPWP."""
    return await tx.all_as(
        _OF_COLLECTORS,
        f"SELECT c.account_id AS account {_NAMED} WHERE lower(t.collector) = lower(%s) OR t.npwp = %s"
        " ORDER BY c.account_id LIMIT %s",
        name,
        npwp,
        limit,
    )


async def terms_of(tx: ReadTx, account: UUID) -> list[AgreedLimit]:
    """Return all agreed terms of a collector, the oldest first."""
    return await tx.all_as(
        _TERMS,
        "SELECT set_at, collector AS name, npwp, limit_rupiah FROM collector_terms WHERE account_id = %s ORDER BY terms_id",
        account,
    )


async def to_confirm(tx: ReadTx, limit: int) -> list[DepositToConfirm]:
    """Return reported deposits that are not confirmed, the oldest first."""
    return await tx.all_as(
        _TO_CONFIRM,
        f"SELECT c.account_id AS account, t.collector AS name, d.ntpn, d.month, d.amount, d.told_at {_NAMED}"
        " JOIN collector_deposits d ON d.account_id = c.account_id WHERE d.state = 'told' ORDER BY d.told_at, d.deposit_id LIMIT %s",
        limit,
    )


async def waiting(tx: ReadTx, limit: int) -> list[DrawsWaiting]:
    """Return collectors with draws that wait for credit, the longest waiting first."""
    return await tx.all_as(
        _WAITING,
        "SELECT c.account_id AS account, t.collector AS name, count(*)::integer AS draws, sum(d.amount)::bigint AS rupiah,"
        f" t.limit_rupiah, min(d.made_at) AS since {_NAMED} JOIN credit_draws d ON d.account_id = c.account_id"
        " WHERE d.state = 'waiting' GROUP BY c.account_id, t.collector, t.limit_rupiah ORDER BY since, account LIMIT %s",
        limit,
    )


async def months_open(tx: ReadTx, before: date, limit: int) -> list[MonthOpen]:
    """Return months before `before` whose duty is not fully deposited, the oldest first."""
    return await tx.all_as(
        _OPEN,
        _MONTHS_OPEN,
        before,
        before,
        limit,
    )
