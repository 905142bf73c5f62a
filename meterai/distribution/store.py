"""SQL of distribution, one function per query."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.distribution.model import (
    AgreedTerms,
    DepositFigures,
    DepositTerms,
    Distributor,
    DistributorStanding,
    Leg,
    LowDeposit,
    PlacedSale,
    Reseller,
    ResellerState,
    ResellerTerms,
    Sale,
    SaleKey,
    SaleState,
    Shop,
    SoldOfDay,
    Steps,
    Summed,
    WaitingSales,
)
from meterai.kit.ids import earliest_id, new_id
from meterai.payments import OwnSql
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

ENDING, WATCHING = "end_sales", "watch_deposits"  # periodic tasks
TAKEN_AT_ONCE = 200  # sales that one transaction pays
TOLD_AGAIN = "interval '1 day'"  # before another mail about a deposit that stays low
COUNTED_AGAIN = "interval '1 hour'"


class AskedSale(NamedTuple):
    """A sale with the facts that the rail `wholesale` needs; `total` in rupiah."""

    account: UUID
    sale: UUID
    state: SaleState
    total: int
    end_cause: str | None
    seller: str


class Parties(NamedTuple):
    """Account of the buyer of a requested sale, and of its distributor; each is None if no such account exists."""

    buyer: UUID | None
    distributor: UUID | None


class OrderOfSale(NamedTuple):
    """Id and state of the order of a sale."""

    order: UUID
    state: str


class DepositOrder(NamedTuple):
    """Order of a top-up, and the rupiah of it that can still be refunded."""

    order: UUID
    rupiah: int


_COLUMNS = """d.account_id AS account, d.state, d.approved_at, d.low_at, t.seller AS name, t.fee, t.short, t.region, t.low_days,
    t.low_rupiah, t.topup_method, t.topup_rupiah, d.mean_rupiah"""
_OF = f"""SELECT {_COLUMNS} FROM distributors d
JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id"""  # noqa: S608 - a constant
_SALE = """
SELECT sale_id AS id, buyer_id AS buyer, order_id AS order, quantity, sale_total(s) AS total, reference, state, made_at,
    waits_until, taken_at, ended_at, reseller_id AS reseller, coalesce((SELECT sum(amount) FROM deposit_returns r
        WHERE r.account_id = s.account_id AND r.sale_id = s.sale_id), 0)::bigint AS returned
FROM sales s WHERE s.account_id = %s
"""
MAKE = "SELECT created, id, request FROM sale_make(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_RESELLER = """
SELECT r.account_id AS distributor, t.seller AS distributor_name, r.reseller_id AS account, r.state, r.name, r.fee,
    r.day_rupiah, reseller_sold(r.account_id, r.reseller_id, %s) AS sold_today
FROM resellers r JOIN distributors d ON d.account_id = r.account_id
JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
"""
# Counts every move of the deposit for a sale of the reseller, so that the sums of all sellers equal the legs of the book.
_SOLD_BY_DAY = """
SELECT (at AT TIME ZONE 'Asia/Jakarta')::date AS day, sum(sales)::integer AS sales, sum(sold)::bigint AS sold,
    sum(returned)::bigint AS returned
FROM (
    SELECT s.taken_at AS at, 1 AS sales, sale_total(s) AS sold, 0::bigint AS returned FROM sales s
    WHERE s.account_id = %s AND s.reseller_id = %s AND s.taken_at >= %s AND s.taken_at < %s
        AND s.made_at >= %s::timestamptz - interval '8 days'  -- none waits longer
    UNION ALL
    SELECT r.returned_at, 0, 0, r.amount FROM deposit_returns r
    JOIN sales s ON s.account_id = r.account_id AND s.sale_id = r.sale_id
    WHERE r.account_id = %s AND s.reseller_id = %s AND r.returned_at >= %s AND r.returned_at < %s) AS moves
GROUP BY 1 ORDER BY 1
"""
_CLAIM = """
INSERT INTO selling_accounts AS s (account_id, distributor_id) VALUES (%s, %s)
ON CONFLICT ON CONSTRAINT selling_accounts_pkey
DO UPDATE SET distributor_id = excluded.distributor_id, is_free = false WHERE s.is_free
"""
FOLLOW = "SELECT sale_follow(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
END_DUE = (
    "SELECT 1 FROM sales WHERE state = 'waiting' AND waits_until <= now() ORDER BY waits_until"
)
TO_END = f"""
SELECT account_id AS account, sale_id AS sale FROM sales o WHERE state = 'waiting' AND waits_until <= now()
    AND {not_paused(ENDING, "sale_id")}
ORDER BY waits_until LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - names are constants
# Open distributors with a waiting sale, or with a deposit below the greater of its two bounds.
LOW = f"""
SELECT d.account_id AS account FROM distributors d
JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
WHERE d.state = 'open' AND (d.low_at IS NULL OR d.low_at < %s::timestamptz - {TOLD_AGAIN})
    AND (ledger_book(d.account_id, 'deposits') < greatest(t.low_rupiah, t.low_days * d.mean_rupiah)
        OR EXISTS (SELECT 1 FROM sales s WHERE s.account_id = d.account_id AND s.state = 'waiting'))
LIMIT %s
"""  # noqa: S608
WELL = """
UPDATE distributors d SET low_at = NULL FROM distributor_terms t
WHERE d.low_at IS NOT NULL AND t.account_id = d.account_id AND t.terms_id = d.terms_id
    AND ledger_book(d.account_id, 'deposits') >= greatest(t.low_rupiah, t.low_days * d.mean_rupiah)
    AND NOT EXISTS (SELECT 1 FROM sales s WHERE s.account_id = d.account_id AND s.state = 'waiting')
"""
COUNT = f"""
UPDATE distributors d SET mean_at = %s, mean_rupiah = coalesce((
    SELECT sum(sale_total(s)) / 7 FROM sales s
    WHERE s.account_id = d.account_id AND s.taken_at > %s::timestamptz - interval '7 days'), 0)::bigint
WHERE d.state = 'open' AND (d.mean_at IS NULL OR d.mean_at < %s::timestamptz - {COUNTED_AGAIN})
"""  # noqa: S608
TELL_LOW = """
UPDATE distributors SET low_at = %s
WHERE account_id = %s AND state = 'open' AND low_at IS NOT DISTINCT FROM %s
"""
OWN_SQL = OwnSql(
    give_back="SELECT deposit_return(%s, %s, %s, %s)",
    returned="SELECT refund_no AS refund, amount, returned_at AS at FROM deposit_returns"
    " WHERE account_id = %s AND sale_id = %s ORDER BY returned_at, refund_no",
    moves="""
SELECT * FROM (
    SELECT s.taken_at AS at, s.account_id AS account, s.sale_id AS id, s.buyer_id AS buyer, s.attempt_id AS attempt,
        sale_total(s) AS amount, '' AS refund
    FROM sales s WHERE s.taken_at >= %s AND s.taken_at < %s
    UNION ALL
    SELECT r.returned_at, r.account_id, r.sale_id, s.buyer_id, s.attempt_id, r.amount, r.refund_no
    FROM deposit_returns r JOIN sales s ON s.account_id = r.account_id AND s.sale_id = r.sale_id
    WHERE r.returned_at >= %s AND r.returned_at < %s) AS moves
ORDER BY at, account, id, refund
""",
)
LEGS_AT_ONCE = 1_000  # more would survive garbage collections, which makes reading a third slower
SALES_AT_ONCE = 2_000
CLOCKS_DIFFER_SECONDS = 3_600
_BEFORE = "SELECT coalesce(sum(amount), 0)::bigint FROM ledger_book_lines(%s, 'deposits', '-infinity', %s)"
_BY_DAY = """
SELECT (posted_at AT TIME ZONE 'Asia/Jakarta')::date AS day, reason, count(*)::integer AS entries, sum(amount)::bigint AS amount
FROM ledger_book_lines(%s, 'deposits', %s, %s) GROUP BY 1, 2 ORDER BY 1, 2
"""
# Selects times and ids as text: as values they would be made for every row, only to be converted to text again.
_LEGS = """
DECLARE legs_of_a_deposit NO SCROLL CURSOR FOR
SELECT to_char(posted_at AT TIME ZONE %s, %s) AS at, entry_id AS entry, reason, encode(uuid_send(subject), 'hex') AS subject,
    amount, (%s + sum(amount) OVER (ORDER BY posted_at, entry_id ROWS UNBOUNDED PRECEDING))::bigint AS balance
FROM ledger_book_lines(%s, 'deposits', %s, %s) ORDER BY posted_at, entry_id
"""
# Reads the indexes of waiting and of ended sales only, however many sales exist.
STANDINGS = """
SELECT d.account_id AS account, t.seller AS name, t.region, d.state, t.short, ledger_book(d.account_id, 'deposits') AS deposit,
    d.mean_rupiah, greatest(t.low_rupiah, t.low_days * d.mean_rupiah)::bigint AS low_below,
    coalesce(w.sales, 0)::integer AS waiting_sales, coalesce(w.rupiah, 0)::bigint AS waiting_rupiah, w.oldest AS oldest_at,
    (SELECT made_at FROM sales n WHERE n.account_id = d.account_id ORDER BY n.sale_id DESC LIMIT 1) AS last_sale_at,
    coalesce(e.lapsed, 0)::integer AS lapsed
FROM distributors d
JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
LEFT JOIN (SELECT account_id, count(*) AS sales, sum(sale_total(s)) AS rupiah, min(made_at) AS oldest
    FROM sales s WHERE state = 'waiting' GROUP BY account_id) w ON w.account_id = d.account_id
LEFT JOIN (SELECT account_id, count(*) FILTER (WHERE end_cause = 'due') AS lapsed FROM sales
    WHERE state = 'ended' AND ended_at > %s::timestamptz - interval '7 days' GROUP BY account_id) e
    ON e.account_id = d.account_id
ORDER BY t.seller, d.account_id
"""
# Reads the index of waiting sales, and all distributors, who are few.
_STAND = """
SELECT w.waiting, w.oldest_at, (SELECT count(*) FROM distributors WHERE state = 'open' AND low_at IS NOT NULL) AS low
FROM (SELECT count(*) AS waiting, min(made_at) AS oldest_at FROM sales WHERE state = 'waiting') w
"""
_SUMMED = RowMapper(Summed)
_DEPOSIT_FIGURES = RowMapper(DepositFigures)
_STANDINGS = RowMapper(DistributorStanding)
_TERMS = RowMapper(AgreedTerms)
_STEPS = RowMapper(Steps)
_LEG = RowMapper(Leg)
_DISTRIBUTORS = RowMapper(Distributor)
_SALES = RowMapper(Sale)
_PLACED = RowMapper(PlacedSale)
_ASKED = RowMapper(AskedSale)
_KEYS = RowMapper(SaleKey)
_WAITING = RowMapper(WaitingSales)
_ORDERS = RowMapper(OrderOfSale)
_LOW = RowMapper(LowDeposit)
_DEPOSITS = RowMapper(DepositOrder)
_PARTIES = RowMapper(Parties)
_RESELLERS = RowMapper(Reseller)
_SOLD = RowMapper(SoldOfDay)


async def distributor(tx: ReadTx, account: UUID) -> Distributor | None:
    """Return a distributor; None if the account is not a distributor."""
    return await tx.one_as(_DISTRIBUTORS, f"{_OF} WHERE d.account_id = %s", account)


async def distributors(tx: ReadTx) -> list[Distributor]:
    """Return every distributor, ordered by name."""
    return await tx.all_as(_DISTRIBUTORS, f"{_OF} ORDER BY t.seller, d.account_id")


async def standings(tx: ReadTx, now: datetime) -> list[DistributorStanding]:
    """Return the current figures of every distributor, ordered by name."""
    return await tx.all_as(_STANDINGS, STANDINGS, now)


async def named(tx: ReadTx, name: str, limit: int) -> list[Distributor]:
    """Return distributors of this name, ignoring case."""
    query = f"{_OF} WHERE lower(t.seller) = lower(%s) ORDER BY d.account_id LIMIT %s"
    return await tx.all_as(_DISTRIBUTORS, query, name, limit)


async def terms_of(tx: ReadTx, account: UUID) -> list[AgreedTerms]:
    """Return all agreed terms of a distributor, the oldest first."""
    return await tx.all_as(
        _TERMS,
        "SELECT set_at, seller AS name, fee, short, region, low_days, low_rupiah, topup_method, topup_rupiah"
        " FROM distributor_terms WHERE account_id = %s ORDER BY terms_id",
        account,
    )


async def steps_of(tx: ReadTx, account: UUID) -> Steps | None:
    """Return the times of the states of a distributor; None if the account is not a distributor."""
    return await tx.one_as(
        _STEPS,
        "SELECT approved_at, opened_at, closing_at, closed_at, low_at FROM distributors WHERE account_id = %s",
        account,
    )


async def seller_of(tx: ReadTx, sale_id: UUID) -> SaleKey | None:
    """Return distributor and id of a sale, found by its id alone."""
    return await tx.one_as(
        _KEYS,
        "SELECT account_id AS account, sale_id AS sale FROM sales WHERE sale_id = %s",
        sale_id,
    )


async def sale_of_order(tx: ReadTx, buyer: UUID, order: UUID) -> SaleKey | None:
    """Return distributor and id of the sale behind an order; None if the order comes from no sale."""
    return await tx.one_as(
        _KEYS,
        "SELECT s.account_id AS account, s.sale_id AS sale FROM orders_by_channel() o"
        " JOIN sales s ON s.account_id = o.seller_id AND s.buyer_id = o.account_id AND s.order_id = o.order_id"
        " WHERE o.account_id = %s AND o.order_id = %s",
        buyer,
        order,
    )


async def deposit_figures(tx: ReadTx) -> DepositFigures:
    """Return figures of the waiting sales and low deposits of all distributors."""
    found = await tx.one_as(_DEPOSIT_FIGURES, _STAND)
    assert found is not None, "an aggregate has a row"
    return found


async def set_terms(tx: Tx, account: UUID, terms: DepositTerms) -> UUID:
    """Insert agreed terms. Return their id."""
    made = new_id()
    await tx.run(
        "INSERT INTO distributor_terms (account_id, terms_id, seller, fee, short, region, low_days, low_rupiah,"
        " topup_method, topup_rupiah) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        account,
        made,
        *terms,
    )
    return made


async def approve(tx: Tx, account: UUID, terms: UUID) -> bool:
    """Make an organization a distributor. Return False if it already is a distributor."""
    return bool(
        await tx.run(
            "INSERT INTO distributors (account_id, terms_id) VALUES (%s, %s)"
            " ON CONFLICT ON CONSTRAINT distributors_pkey DO NOTHING",
            account,
            terms,
        )
    )


async def change(tx: Tx, account: UUID, terms: UUID) -> None:
    """Set the current terms of a distributor, by their id."""
    await tx.run("UPDATE distributors SET terms_id = %s WHERE account_id = %s", terms, account)


async def lock(tx: Tx, account: UUID) -> None:
    """Lock a distributor until the transaction ends."""
    await tx.run("SELECT 1 FROM distributors WHERE account_id = %s FOR UPDATE", account)


async def open_(tx: Tx, account: UUID) -> None:
    """Mark an approved distributor as open, after the first top-up of its deposit."""
    await tx.run(
        "UPDATE distributors SET state = 'open', opened_at = now()"
        " WHERE account_id = %s AND state = 'approved'",
        account,
    )


async def close(tx: Tx, account: UUID) -> int:
    """Close a distributor and end its waiting sales. Return the number of ended sales."""
    return int(await tx.value("SELECT distributor_close(%s)", account))


async def empty(tx: Tx, account: UUID) -> None:
    """Mark a closing distributor as closed if its whole deposit was returned."""
    await tx.run(
        "UPDATE distributors SET state = 'closed', closed_at = now()"
        " WHERE account_id = %s AND state = 'closing' AND ledger_book(account_id, 'deposits') = 0",
        account,
    )


async def make(tx: Tx, *terms: object) -> PlacedSale:
    """Make a sale, or return the sale with the same idempotency key; see sql/functions/sale_make.sql."""
    found = await tx.one_as(_PLACED, MAKE, *terms)
    assert found is not None
    return found


async def follow(tx: Tx, *arguments: object) -> None:
    """Make the buyer's order of a sale, and mark it paid if the distributor's deposit paid the sale; see
    sql/functions/sale_follow.sql.
    """
    await tx.run(FOLLOW, *arguments)


async def take_waiting(tx: Tx, account: UUID) -> int:
    """Pay waiting sales, the oldest first, as far as the deposit suffices. Return the number of paid sales."""
    return int(await tx.value("SELECT sale_take_waiting(%s, %s)", account, TAKEN_AT_ONCE))


async def end(tx: Tx, account: UUID, sale: UUID, cause: str) -> bool:
    """End a waiting sale; `cause` is `due` (it waited too long) or `order` (its order was given up, or paid otherwise).

    Returns False if the deposit has paid the sale.
    """
    return bool(await tx.value("SELECT sale_end(%s, %s, %s)", account, sale, cause))


async def abandon(tx: Tx, buyer: UUID, order: UUID) -> str | None:
    """Mark the order of an ended sale as expired. Return the state of the order; None if it does not exist yet."""
    found: str | None = await tx.value("SELECT order_abandon(%s, %s, 'lapsed')", buyer, order)
    return found


async def return_deposit(
    tx: Tx, account: UUID, order: UUID, most: int, refund: UUID, number: str, due_at: datetime
) -> int:
    """Refund up to `most` rupiah of a deposit through the payment of a top-up order. Return the refunded rupiah."""
    given = (account, order, most, refund, number, due_at)
    return int(await tx.value("SELECT order_return_deposit(%s, %s, %s, %s, %s, %s)", *given))


async def deposits_of(tx: ReadTx, account: UUID) -> list[DepositOrder]:
    """Return the top-up orders of a distributor of which some rupiah can still be refunded, the newest first."""
    return await tx.all_as(
        _DEPOSITS,
        "SELECT order_id AS order, rupiah FROM order_deposits_told()"
        " WHERE account_id = %s AND rupiah > 0 ORDER BY order_id DESC",
        account,
    )


async def sale(tx: ReadTx, account: UUID, sale_id: UUID) -> Sale | None:
    """Return a sale of a distributor; None if no such sale exists."""
    return await tx.one_as(_SALES, f"{_SALE} AND s.sale_id = %s", account, sale_id)


async def sales(
    tx: ReadTx,
    account: UUID,
    before: UUID,
    limit: int,
    reference: str | None = None,
    reseller: UUID | None = None,
) -> list[Sale]:
    """Return sales older than the sale `before`, newest first; optionally only with a reference, or of a reseller."""
    only, values = "", list[object]()
    for column, given in (("reference", reference), ("reseller_id", reseller)):
        if given is not None:
            only, values = f"{only} AND s.{column} = %s", [*values, given]
    query = f"{_SALE} AND s.sale_id < %s{only} ORDER BY s.sale_id DESC LIMIT %s"
    return await tx.all_as(_SALES, query, account, before, *values, limit)


async def open_sales(
    tx: ReadTx, account: UUID, reseller: UUID | None, begins: datetime, ends: datetime
) -> None:
    """Open the cursor of `next_sales` over the sales made from `begins` to before `ends`."""
    # Ids are ordered by time, but the clocks of the machines that make ids differ a little.
    query = (
        f"DECLARE sales_of_a_span NO SCROLL CURSOR FOR {_SALE} AND s.sale_id > %s"
        " AND s.made_at >= %s AND s.made_at < %s AND (%s::uuid IS NULL OR s.reseller_id = %s) ORDER BY s.sale_id"
    )
    first = earliest_id(begins, margin_seconds=CLOCKS_DIFFER_SECONDS)
    await tx.tell(query, account, first, begins, ends, reseller, reseller)


async def next_sales(tx: ReadTx) -> list[Sale]:
    """Return the next sales of the cursor, oldest first; an empty list at the end."""
    return await tx.all_as(_SALES, f"FETCH {SALES_AT_ONCE:d} FROM sales_of_a_span")


async def parties(tx: ReadTx, seller: UUID, address: str) -> Parties:
    """Return the buyer with a mail address and the distributor of a seller. One query, since each sale needs both."""
    found = await tx.one_as(
        _PARTIES,
        "SELECT account_known(%s) AS buyer,"
        " (SELECT distributor_id FROM selling_accounts WHERE account_id = %s) AS distributor",
        address,
        seller,
    )
    assert found is not None, "it has no table"
    return found


async def distributor_of(tx: ReadTx, seller: UUID) -> UUID | None:
    """Return the distributor from whose deposit an account sells, or sold last; None if it never sold."""
    found: UUID | None = await tx.value(
        "SELECT distributor_id FROM selling_accounts WHERE account_id = %s", seller
    )
    return found


async def orders_of(tx: ReadTx, found: Sequence[Sale]) -> list[OrderOfSale]:
    """Return the states of the orders of these sales, of any buyers."""
    return await tx.all_as(
        _ORDERS,
        "SELECT o.order_id AS order, o.state FROM unnest(%s::uuid[], %s::uuid[]) AS w (account_id, order_id)"
        " JOIN orders_told() o ON o.account_id = w.account_id AND o.order_id = w.order_id",
        [one.buyer for one in found],
        [one.order for one in found],
    )


async def waiting(tx: ReadTx, account: UUID) -> WaitingSales:
    """Return number and rupiah of the sales that wait for the deposit of a distributor."""
    found = await tx.one_as(
        _WAITING,
        "SELECT count(*)::integer AS sales, coalesce(sum(sale_total(s)), 0)::bigint AS rupiah FROM sales s"
        " WHERE account_id = %s AND state = 'waiting'",
        account,
    )
    assert found is not None, "an aggregate has a row"
    return found


async def sale_of_attempt(tx: ReadTx, buyer: UUID, attempt: UUID) -> AskedSale | None:
    """Return the sale that an attempt of a buyer pays; None if the attempt pays no sale."""
    return await tx.one_as(
        _ASKED,
        "SELECT s.account_id AS account, s.sale_id AS sale, s.state, sale_total(s) AS total, s.end_cause,"
        " sale_seller(s, t.seller) AS seller"
        " FROM sales s JOIN distributors d ON d.account_id = s.account_id"
        " JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id"
        " WHERE s.attempt_id = %s AND s.buyer_id = %s",
        attempt,
        buyer,
    )


async def balance_before(tx: ReadTx, account: UUID, at: datetime) -> int:
    """Return the balance of a deposit in rupiah, before the time `at`."""
    return int(await tx.value(_BEFORE, account, at))


async def sums_by_day(tx: ReadTx, account: UUID, begins: datetime, ends: datetime) -> list[Summed]:
    """Return the sums of the entries that moved a deposit from `begins` to before `ends`, by day (WIB) and reason."""
    return await tx.all_as(_SUMMED, _BY_DAY, account, begins, ends)


async def open_legs(
    tx: ReadTx, account: UUID, begins: datetime, ends: datetime, before: int, times: tuple[str, str]
) -> None:
    """Open the cursor of `next_legs` over the legs of a deposit from `begins` to before `ends`.

    `before` is the balance at `begins` in rupiah; `times` are the time zone and the pattern of the times.
    """
    await tx.tell(_LEGS, *times, before, account, begins, ends)


async def next_legs(tx: ReadTx) -> list[Leg]:
    """Return the next legs of the cursor, oldest first; an empty list at the end."""
    return await tx.all_as(_LEG, f"FETCH {LEGS_AT_ONCE:d} FROM legs_of_a_deposit")


async def to_end(tx: Tx, limit: int) -> list[SaleKey]:
    """Return sales that have waited for too long, the longest waiting first."""
    return await tx.all_as(_KEYS, TO_END, limit)


async def low(tx: Tx, at: datetime, limit: int) -> list[LowDeposit]:
    """Return distributors to notify of a low deposit or of waiting sales.

    Also updates mean daily sales of open distributors, and forgets the notification of each whose deposit is not low any more.
    """
    await tx.run(COUNT, at, at, at)
    await tx.run(WELL)
    return await tx.all_as(_LOW, LOW, at, limit)


async def tell_low(tx: Tx, account: UUID, at: datetime, before: datetime | None) -> bool:
    """Record that a distributor is notified of its low deposit at the time `at`.

    `before` is the time of the previous notification. Return False if another one was recorded since then.
    """
    return bool(await tx.run(TELL_LOW, at, account, before))


# -- sales pages and fees ------------------------------------------------------------------

_SHOP = """
SELECT s.account_id AS account, s.slug, s.colour, s.terms, s.logo_hash, s.set_at, d.state, t.seller AS name, t.fee
FROM shops s JOIN distributors d ON d.account_id = s.account_id
JOIN distributor_terms t ON t.account_id = d.account_id AND t.terms_id = d.terms_id
"""
_SHOPS = RowMapper(Shop)


async def shop_named(tx: ReadTx, slug: str) -> Shop | None:
    """Return the sales page that has, or had, this slug; None if no page ever had it."""
    return await tx.one_as(
        _SHOPS,
        f"{_SHOP} WHERE s.account_id = (SELECT account_id FROM shop_names WHERE slug = %s)",  # noqa: S608
        slug,
    )


async def shop_of(tx: ReadTx, account: UUID) -> Shop | None:
    """Return the sales page of a distributor; None if the distributor has no sales page."""
    return await tx.one_as(_SHOPS, f"{_SHOP} WHERE s.account_id = %s", account)


async def set_shop(tx: Tx, *wish: object) -> str:
    """Open a sales page, or change it; see sql/functions/shop_set.sql.

    Returns `set`, or the reason why the page was not changed: `taken` (another distributor has, or had, the slug), or `spent`
    (the distributor has used the maximum number of slugs).
    """
    return str(await tx.value("SELECT shop_set(%s, %s, %s, %s, %s, %s)", *wish))


async def set_logo(
    tx: Tx, account: UUID, drawn: bytes | None, name: str | None, at: datetime
) -> bool:
    """Set the logo of a sales page, or remove it (None). Return False if no sales page exists."""
    query = "UPDATE shops SET logo = %s, logo_hash = %s, set_at = %s WHERE account_id = %s"
    return bool(await tx.run(query, drawn, name, at, account))


async def logo(tx: ReadTx, account: UUID, name: str) -> bytes | None:
    """Return the logo of a sales page if it has this hash; None if the page has another logo."""
    query = "SELECT logo FROM shops WHERE account_id = %s AND logo_hash = %s"
    found: bytes | None = await tx.value(query, account, name)
    return found


async def move_fee(tx: Tx, *move: object) -> None:
    """Add a fee to the deposit of its seller, or take it back; see sql/functions/fee_move.sql."""
    await tx.run("SELECT fee_move(%s, %s, %s, %s, %s, %s)", *move)


# -- resellers -----------------------------------------------------------------------------------


async def claim(tx: Tx, account: UUID, distributor: UUID) -> bool:
    """Record the deposit from which an account sells from now on. Return False if it already sells from a deposit."""
    return bool(await tx.run(_CLAIM, account, distributor))


async def may_claim(tx: ReadTx, account: UUID) -> bool:
    """True if an account may begin to sell from a deposit, since it sells from none now."""
    return not await tx.value(
        "SELECT 1 FROM selling_accounts WHERE account_id = %s AND NOT is_free", account
    )


async def release(tx: Tx, account: UUID, distributor: UUID) -> None:
    """Record that an account no longer sells from a deposit, so that it may sell from another."""
    await tx.run(
        "UPDATE selling_accounts SET is_free = true WHERE account_id = %s AND distributor_id = %s",
        account,
        distributor,
    )


async def reseller(tx: ReadTx, distributor: UUID, account: UUID, at: datetime) -> Reseller | None:
    """Return a reseller of a distributor, with the rupiah that it sold on the day (WIB) of `at`; None if unknown."""
    query = f"{_RESELLER} WHERE r.account_id = %s AND r.reseller_id = %s"
    return await tx.one_as(_RESELLERS, query, at, distributor, account)


async def resellers(tx: ReadTx, distributor: UUID, at: datetime) -> list[Reseller]:
    """Return every reseller of a distributor, ordered by name, with the rupiah that it sold on the day (WIB) of `at`."""
    query = f"{_RESELLER} WHERE r.account_id = %s ORDER BY r.name, r.reseller_id"
    return await tx.all_as(_RESELLERS, query, at, distributor)


async def distributors_of(tx: ReadTx, account: UUID, at: datetime) -> list[Reseller]:
    """Return the account as a reseller of each distributor that invited it or for which it sells; ended relations left out."""
    query = f"{_RESELLER} WHERE r.reseller_id = %s AND r.state <> 'ended' ORDER BY t.seller, r.account_id"
    return await tx.all_as(_RESELLERS, query, at, account)


async def count_resellers(tx: Tx, distributor: UUID) -> int:
    """Count the resellers of a distributor that have not ended."""
    return int(
        await tx.value(
            "SELECT count(*) FROM resellers WHERE account_id = %s AND state <> 'ended'", distributor
        )
    )


async def set_reseller(
    tx: Tx,
    distributor: UUID,
    account: UUID,
    state: ResellerState,
    terms: ResellerTerms,
    *,
    distributor_fee: int,
    fees_max: int,
) -> None:
    """Insert or update a reseller with its terms; fees in rupiah for each stamp."""
    await tx.run(
        "INSERT INTO resellers AS r (account_id, reseller_id, state, name, fee, day_rupiah, distributor_fee, fees_max,"
        " agreed_at, moved_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now(), now())"
        " ON CONFLICT ON CONSTRAINT resellers_pkey DO UPDATE SET state = excluded.state, name = excluded.name,"
        " fee = excluded.fee, day_rupiah = excluded.day_rupiah, distributor_fee = excluded.distributor_fee,"
        " fees_max = excluded.fees_max, agreed_at = excluded.agreed_at,"
        " moved_at = CASE WHEN r.state = excluded.state THEN r.moved_at ELSE excluded.moved_at END",
        distributor,
        account,
        state,
        *terms,
        distributor_fee,
        fees_max,
    )


async def set_reseller_state(
    tx: Tx, distributor: UUID, account: UUID, state: ResellerState
) -> None:
    """Set the state of a reseller."""
    await tx.run(
        "UPDATE resellers SET state = %s, moved_at = now() WHERE account_id = %s AND reseller_id = %s",
        state,
        distributor,
        account,
    )


async def reseller_with_highest_fee(tx: ReadTx, distributor: UUID, at: datetime) -> Reseller | None:
    """Return the reseller or invited account with the highest fee, ended resellers not counted; None if there is none."""
    query = (
        f"{_RESELLER} WHERE r.account_id = %s AND r.state <> 'ended' ORDER BY r.fee DESC LIMIT 1"
    )
    return await tx.one_as(_RESELLERS, query, at, distributor)


async def set_fee_of_distributor(tx: Tx, distributor: UUID, fee: int, fees_max: int) -> None:
    """Store in the rows of a distributor's resellers the distributor's fee, and the bound of both fees together.

    Fees are in rupiah for each stamp.
    """
    await tx.run(
        "UPDATE resellers SET distributor_fee = %s, fees_max = %s WHERE account_id = %s",
        fee,
        fees_max,
        distributor,
    )


async def sold_by_day(
    tx: ReadTx, distributor: UUID, account: UUID, begins: datetime, ends: datetime
) -> list[SoldOfDay]:
    """Return number and rupiah of a reseller's sales, and the rupiah returned, by day (WIB) from `begins` to before `ends`."""
    given = (distributor, account, begins, ends)
    return await tx.all_as(_SOLD, _SOLD_BY_DAY, *given, begins, *given)
