"""SQL of finance, one function per query."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, TypeVar
from uuid import UUID

from meterai.accounts import NOBODY
from meterai.finance.model import (
    AGES_DAYS,
    UNPLACED,
    Aged,
    ChannelSpans,
    ChannelSum,
    Close,
    KeptClose,
    Payout,
    PeriodBalance,
    ProviderSum,
    StatementLine,
    StatementRequest,
    StatementScope,
)
from meterai.kit.days import SETTLED_AFTER, begin_of
from meterai.payments import WHOLESALE
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper

Found = TypeVar("Found")
REPORT_SECONDS_MAX = 120  # for one statement over a large installation
LINES_AT_ONCE = 20_000  # rows of a cursor in memory


class DayDigest(NamedTuple):
    """Number of entries of a period, and the SHA-256 of their concatenated digests."""

    entries: int
    sha256: bytes


class ClosingBalance(NamedTuple):
    """Balance of a book at the end of a day, credits positive."""

    day: date
    closing: int


class _EntryText(NamedTuple):
    """One entry as text."""

    line: str


_BALANCES = RowMapper(PeriodBalance)
_CHANNELS = RowMapper(ChannelSum)
_SPANS = RowMapper(ChannelSpans)
_LINES = RowMapper(StatementLine)
_AGED = RowMapper(Aged)
_PROVIDERS = RowMapper(ProviderSum)
_CLOSES = RowMapper(KeptClose)
_PAYOUTS = RowMapper(Payout)
_DIGEST = RowMapper(DayDigest)
_CLOSINGS = RowMapper(ClosingBalance)
_WRITTEN = RowMapper(_EntryText)

# -- statements ----------------------------------------------------------------------------------

# The provider of an entry is that of its payment, or of the record of its item.
_OF_PROVIDERS = f"""
    SELECT l.*, CASE WHEN l.book = 'refund_float' THEN 'float'
        WHEN l.reason IN ('deposit_taken', 'deposit_returned') THEN '{WHOLESALE}'
        WHEN l.reason IN ('credit_drawn', 'credit_returned') THEN 'credit'
        ELSE coalesce(p.provider, i.provider, payment_provider_of(i.payment), '{UNPLACED}') END AS provider
    FROM ledger_lines(%s, %s) l
    LEFT JOIN refunds_made() r ON l.reason IN ('refund_settled', 'refund_reversed')
        AND r.account_id = l.account_id
        AND r.refund_id = CASE WHEN l.reason IN ('refund_settled', 'refund_reversed')
            THEN split_part(l.entry_id, ':', 2)::uuid END
    LEFT JOIN payment_providers() p ON p.account_id = l.account_id
        AND p.attempt_id = coalesce(r.attempt_id, CASE WHEN l.reason IN
            ('payment_captured', 'payment_denied', 'payment_given_back', 'chargeback_won')
            THEN split_part(l.entry_id, ':', 2)::uuid END)
    LEFT JOIN suspense_booked() i ON l.account_id = '{NOBODY}' AND i.item_id = l.subject
    WHERE l.book IN ('bank_clearing', 'refund_float', 'provider_fee', 'provider_tax')
"""  # noqa: S608 - of a constant
_SCOPES = {
    StatementScope.ACCOUNT: (
        "SELECT * FROM ledger_lines(%s, %s) l WHERE l.account_id = %s",
        ("account",),
    ),
    StatementScope.ORDER: (
        "SELECT * FROM ledger_lines(%s, %s) l WHERE l.account_id = %s AND l.subject = %s",
        ("account", "subject"),
    ),
    StatementScope.PROVIDER: (
        f"SELECT * FROM ({_OF_PROVIDERS}) o WHERE o.provider = %s",  # noqa: S608 - of a constant
        ("of",),
    ),
    StatementScope.BOOKS: ("SELECT * FROM ledger_lines(%s, %s) l", ()),
}
_BALANCE_OF = """
SELECT book, coalesce(sum(amount) FILTER (WHERE posted_at < %s), 0)::bigint AS opening,
       coalesce(-sum(amount) FILTER (WHERE amount < 0 AND posted_at >= %s), 0)::bigint AS debit,
       coalesce(sum(amount) FILTER (WHERE amount > 0 AND posted_at >= %s), 0)::bigint AS credit
FROM (<lines>) of_scope GROUP BY book
"""
# Sums begin at the last closed day, so that the past is not summed again.
_BALANCES_OF_BOOKS = """
WITH closed AS (SELECT max(day) AS day FROM day_closes WHERE timezone('Asia/Jakarta', (day + 1)::timestamp) <= %s)
SELECT book, coalesce(sum(amount) FILTER (WHERE posted_at < %s), 0)::bigint AS opening,
       coalesce(-sum(amount) FILTER (WHERE amount < 0 AND posted_at >= %s), 0)::bigint AS debit,
       coalesce(sum(amount) FILTER (WHERE amount > 0 AND posted_at >= %s), 0)::bigint AS credit
FROM (
    SELECT book, posted_at, amount FROM ledger_lines(
        coalesce((SELECT timezone('Asia/Jakarta', (day + 1)::timestamp) FROM closed), '-infinity'), %s)
    UNION ALL
    SELECT book, '-infinity', closing FROM day_close_sums JOIN closed USING (day)
) told GROUP BY book
"""
_LINES_OF = """
SELECT to_char(posted_at AT TIME ZONE 'Asia/Jakarta', 'YYYY-MM-DD"T"HH24:MI:SS"+07:00"') AS at,
       account_id::text AS account, entry_id AS entry, reason, subject::text AS subject, book, amount
FROM (<lines>) of_scope ORDER BY posted_at, account_id, entry_id COLLATE "C", book
"""


def _of_scope(asked: StatementRequest, begin: datetime | None) -> tuple[str, list[object]]:
    lines, names = _SCOPES[asked.scope]
    since = "-infinity" if begin is None else begin
    return lines, [since, asked.end, *(getattr(asked, name) for name in names)]


async def balances(tx: ReadTx, asked: StatementRequest) -> list[PeriodBalance]:
    """Return balance and movements of each book of a statement."""
    await tx.allow(REPORT_SECONDS_MAX)
    begin = [asked.begin] * 3
    if asked.scope is StatementScope.BOOKS:
        return await tx.all_as(_BALANCES, _BALANCES_OF_BOOKS, asked.begin, *begin, asked.end)
    lines, of = _of_scope(asked, None)
    return await tx.all_as(_BALANCES, _BALANCE_OF.replace("<lines>", lines), *begin, *of)


async def lines(tx: ReadTx, asked: StatementRequest) -> AsyncIterator[list[StatementLine]]:
    """Yield the legs of a statement, the oldest first, in blocks of up to `LINES_AT_ONCE` legs."""
    await tx.allow(REPORT_SECONDS_MAX)
    inner, of = _of_scope(asked, asked.begin)
    query = _LINES_OF.replace("<lines>", inner)
    async for some in _by_cursor(tx, _LINES, query, of):
        yield some


async def _by_cursor(
    tx: ReadTx, mapper: RowMapper[Found], query: str, parameters: Sequence[object]
) -> AsyncIterator[list[Found]]:
    await tx.tell(f"DECLARE of_finance NO SCROLL CURSOR FOR {query}", *parameters)
    while some := await tx.all_as(mapper, f"FETCH {LINES_AT_ONCE} FROM of_finance"):
        yield some
    await tx.tell("CLOSE of_finance")


async def account_of_subject(tx: ReadTx, subject: UUID) -> UUID | None:
    """Return the account that has ledger entries about a subject, such as an order; None if there are no such entries."""
    await tx.allow(REPORT_SECONDS_MAX)
    found: UUID | None = await tx.value(
        "SELECT account_id FROM ledger_lines('-infinity', 'infinity') WHERE subject = %s LIMIT 1",
        subject,
    )
    return found


async def book_now(tx: ReadTx, book: str) -> int:
    """Return the current balance of a book, credits positive."""
    moment = await now(tx) + timedelta(hours=1)  # includes an entry of this moment
    found = await balances(tx, StatementRequest(StatementScope.BOOKS, "", moment, moment))
    return sum(one.opening for one in found if one.book == book)


# -- providers, refunds ----------------------------------------------------------------------------

_PROVIDER_SUMS = f"""
SELECT provider, reason, book, coalesce(sum(amount) FILTER (WHERE posted_at < %s), 0)::bigint AS before,
       coalesce(sum(amount) FILTER (WHERE posted_at >= %s), 0)::bigint AS moved
FROM ({_OF_PROVIDERS}) o GROUP BY provider, reason, book ORDER BY provider, reason, book
"""  # noqa: S608 - of a constant
_AGEING = """
SELECT p.provider, p.method,
       width_bucket(extract(epoch FROM %s - r.requested_at)::double precision / 86400, %s::double precision[]) AS bucket,
       count(*) AS number, sum(r.amount)::bigint AS rupiah, count(*) FILTER (WHERE r.due_at < %s) AS overdue,
       min(r.requested_at) AS oldest, min(r.due_at) AS due
FROM refunds_made() r JOIN payment_providers() p USING (account_id, attempt_id)
WHERE refund_is_open(r.state) GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


async def provider_sums(tx: ReadTx, begin: datetime, end: datetime) -> list[ProviderSum]:
    """Return the sums of ledger entries by provider, reason and book: before a period, and in the period."""
    await tx.allow(REPORT_SECONDS_MAX)
    return await tx.all_as(_PROVIDERS, _PROVIDER_SUMS, begin, begin, "-infinity", end)


async def ageing(tx: ReadTx, at: datetime) -> list[Aged]:
    """Return open refunds by provider, method and age."""
    return await tx.all_as(_AGED, _AGEING, at, list(map(float, AGES_DAYS)), at)


# -- channels --------------------------------------------------------------------------------------

SETTLED_SECONDS = SETTLED_AFTER.total_seconds()
COUNTED_SECONDS = 86_400.0  # seconds of the past that one call counts
# Stored sums, and the legs posted after them; each leg is counted once.
_CHANNEL_SUMS = """
SELECT day, channel, seller, reason, book, sum(entries)::bigint AS entries, sum(amount)::bigint AS amount FROM (
    SELECT day, channel, seller_id AS seller, reason, book, entries, amount FROM channel_sums
    WHERE is_kept AND day >= %s AND day < %s
    UNION ALL
    SELECT day, channel, seller_id, reason, book, 1, amount FROM channel_lines(
        greatest(%s, coalesce((SELECT kept_until FROM channel_counts), '-infinity')), %s)
) told GROUP BY day, channel, seller, reason, book
"""
_CHANNEL_SPANS = """
SELECT channel, seller_id AS seller, reason, book,
    coalesce(sum(amount) FILTER (WHERE day >= %s), 0)::bigint AS today,
    coalesce(sum(amount) FILTER (WHERE day > %s::date - 7), 0)::bigint AS week,
    sum(amount)::bigint AS month, max(day) AS last_day,
    coalesce(sum(entries) FILTER (WHERE day > %s::date - 7), 0)::bigint AS entries_week
FROM channel_sums WHERE day > %s::date - 30 AND channel <> 'none' GROUP BY channel, seller_id, reason, book
"""


async def count_channels(tx: Tx) -> bool:
    """Add the entries posted since the last run to the sums by channel.

    One call adds the entries of at most 24 hours of the past; returns True if another call is needed to reach the present.
    """
    await tx.allow(REPORT_SECONDS_MAX)
    found: bool = await tx.value("SELECT channel_count(%s, %s)", SETTLED_SECONDS, COUNTED_SECONDS)
    return found


async def channels(tx: ReadTx, first: date, last: date) -> list[ChannelSum]:
    """Return the sums of ledger entries by day and channel from `first` to `last`: the stored sums plus the legs that were
    posted after the sums were stored.
    """
    await tx.allow(REPORT_SECONDS_MAX)
    day_after = last + timedelta(days=1)
    span = (first, day_after, begin_of(first), begin_of(day_after))
    return await tx.all_as(_CHANNELS, _CHANNEL_SUMS, *span)


async def channel_spans(tx: ReadTx, today: date) -> list[ChannelSpans]:
    """Return sums by channel over today, the last 7 and the last 30 days, as they were at the last count."""
    return await tx.all_as(_SPANS, _CHANNEL_SPANS, *[today] * 4)


async def channels_counted_until(tx: ReadTx) -> datetime | None:
    """Return the moment until which entries are counted by channel; None before the first count."""
    found: datetime | None = await tx.value("SELECT counted_until FROM channel_counts")
    return found


# -- closes of days --------------------------------------------------------------------------------

_KEPT = "SELECT day, closed_at, entries, sha256, manifest FROM day_closes"
_JOURNAL = """
SELECT line FROM ledger_journal(%s, %s) ORDER BY posted_at, account_id, entry_id COLLATE "C"
"""
_DIGEST_OF = """
SELECT count(*) AS entries, sha256(coalesce(string_agg(sha256(convert_to(line, 'UTF8')), ''
    ORDER BY posted_at, account_id, entry_id COLLATE "C"), '')) AS sha256
FROM ledger_journal(%s, %s)
"""


async def now(tx: ReadTx) -> datetime:
    """Return the time of the database, which its constraints use to decide that a day is over."""
    found: datetime = await tx.value("SELECT now()")
    return found


async def digest(tx: ReadTx, begin: datetime, end: datetime) -> DayDigest:
    """Return number and digest of the entries of a period."""
    await tx.allow(REPORT_SECONDS_MAX)
    found = await tx.one_as(_DIGEST, _DIGEST_OF, begin, end)
    assert found is not None, "an aggregate has a row"
    return found


async def journal(tx: ReadTx, begin: datetime, end: datetime) -> AsyncIterator[str]:
    """Yield the entries of a period as lines of text, in blocks, in the order in which `digest` hashes them."""
    await tx.allow(REPORT_SECONDS_MAX)
    async for some in _by_cursor(tx, _WRITTEN, _JOURNAL, [begin, end]):
        yield "".join(f"{one.line}\n" for one in some)


async def has_entries(tx: ReadTx, end: datetime) -> bool:
    """True if an entry was posted before a moment."""
    found: bool = await tx.value("SELECT EXISTS (SELECT FROM ledger_lines('-infinity', %s))", end)
    return found


async def last_close(tx: ReadTx) -> KeptClose | None:
    """Return the newest close; None if no day was closed."""
    return await tx.one_as(_CLOSES, f"{_KEPT} ORDER BY day DESC LIMIT 1")


async def closes(tx: ReadTx, first: date, last: date, limit: int | None) -> list[KeptClose]:
    """Return the closes of a span of days, the newest first; at most `limit`, or all if it is None."""
    return await tx.all_as(
        _CLOSES,
        f"{_KEPT} WHERE day BETWEEN %s AND %s ORDER BY day DESC LIMIT %s",
        first,
        last,
        limit,
    )


async def closings(tx: ReadTx, book: str, first: date, last: date) -> list[ClosingBalance]:
    """Return the balance of a book at the end of each closed day of a span."""
    query = "SELECT day, closing FROM day_close_sums WHERE book = %s AND day >= %s AND day <= %s"
    return await tx.all_as(_CLOSINGS, query, book, first, last)


async def insert_close(tx: Tx, found: Close, signed: str) -> None:
    """Store the close of a day, and its sums for each book; `signed` is the signed document. Refuses `DayClosed`."""
    await tx.run(
        "INSERT INTO day_closes (day, entries, sha256, manifest) VALUES (%s, %s, %s, %s)",
        found.day,
        found.entries,
        found.sha256,
        signed,
    )
    rows = [(one.book, one.debit, one.credit, one.closing) for one in found.balances]
    await tx.run(
        "INSERT INTO day_close_sums (day, book, debit, credit, closing)"
        " SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bigint[])",
        found.day,
        *(list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], []),
    )


# -- payouts ---------------------------------------------------------------------------------------

_PAYOUT = """
SELECT payout_id AS id, amount, month, deposit_code, state, approved_at, approved_by, sent_at, billing_code,
       bank_line, paid_at, ntpn, ended_at, why_failed FROM payouts
"""
_OPEN = f"{_PAYOUT} WHERE state IN ('approved', 'sent') ORDER BY approved_at"


async def payout(tx: ReadTx, payout_id: UUID) -> Payout | None:
    """Return a payout by its id; None if it does not exist."""
    return await tx.one_as(_PAYOUTS, f"{_PAYOUT} WHERE payout_id = %s", payout_id)


async def payout_by_code(tx: ReadTx, billing_code: str, amount: int) -> Payout | None:
    """Return the payout of this amount that was sent under this billing code of the treasury; None if there is no such
    payout.
    """
    query = f"{_PAYOUT} WHERE billing_code = %s AND amount = %s AND state IN ('sent', 'confirmed')"
    return await tx.one_as(_PAYOUTS, f"{query} ORDER BY sent_at LIMIT 1", billing_code, amount)


async def lock_payouts(tx: Tx) -> None:
    """Lock all payouts until the transaction ends, since a payout is checked against the sum of all."""
    await tx.run("SELECT pg_advisory_xact_lock(16023, 0)")


async def open_payouts(tx: ReadTx) -> list[Payout]:
    """Return payouts that are approved or sent, the oldest first."""
    return await tx.all_as(_PAYOUTS, _OPEN)


async def newest_payouts(tx: ReadTx, limit: int) -> list[Payout]:
    """Return payouts in any state, the newest first."""
    return await tx.all_as(_PAYOUTS, f"{_PAYOUT} ORDER BY approved_at DESC LIMIT %s", limit)


async def payout_of_line(tx: ReadTx, bank_line: str) -> Payout | None:
    """Return the payout that a line of the bank statement confirmed; None if it confirmed none."""
    return await tx.one_as(_PAYOUTS, f"{_PAYOUT} WHERE bank_line = %s", bank_line)


async def insert_payout(tx: Tx, found: Payout) -> None:
    """Store an approved payout."""
    await tx.run(
        "INSERT INTO payouts (payout_id, amount, month, deposit_code, approved_by)"
        " VALUES (%s, %s, %s, %s, %s)",
        found.id,
        found.amount,
        found.month,
        found.deposit_code,
        found.approved_by,
    )


async def send_payout(tx: Tx, payout_id: UUID, billing_code: str) -> None:
    """Store that the bank was told to pay a payout."""
    await tx.run(
        "UPDATE payouts SET state = 'sent', sent_at = now(), billing_code = %s WHERE payout_id = %s",
        billing_code,
        payout_id,
    )


async def confirm_payout(tx: Tx, payout_id: UUID, line: str, at: datetime, ntpn: str) -> None:
    """Confirm a payout by a line of the bank statement, and post it. Refuses `PayoutLineTaken`."""
    await tx.run("SELECT payout_confirm(%s, %s, %s, %s)", payout_id, line, at, ntpn)


async def fail_payout(tx: Tx, payout_id: UUID, why: str) -> None:
    """Store that a payout was not paid."""
    await tx.run(
        "UPDATE payouts SET state = 'failed', why_failed = %s, ended_at = now() WHERE payout_id = %s",
        why,
        payout_id,
    )
