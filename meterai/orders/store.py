"""SQL of orders, one function per query."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from meterai.kit.labels import Labels
from meterai.orders.model import (
    ExecutionPace,
    InFlight,
    Order,
    OrderFigures,
    OrderInFlight,
    OrderKey,
    OrderMark,
    OrderPastDue,
    OrderState,
    OrderTerms,
    PaidWithin,
    PlacedOrder,
    SoldBy,
    WaitingOrders,
)
from meterai.payments import PaymentChannel
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.plumbing.work.periodic import not_paused

_COLUMNS = (
    "account_id AS account, order_id AS id, kind, state, quantity, unit_price, service_fee, total, placed_at,"
    " coalesce(pay_until, lapses_at) AS lapses_at, paid_at, due_at, due_seconds, returning_due_at, paid_attempt, reference, metadata, seller, seller_fee, closed_at"
)
PLACE = """
SELECT created, id, request, placed, lapses
FROM order_place_by_method(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Order and labels are inserted by one statement, so that no order is stored without its labels.
PLACE_LABELLED = """
WITH placed AS (
    SELECT * FROM order_place_by_method(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
), labelled AS (
    INSERT INTO order_labels (account_id, order_id, reference, metadata)
    SELECT %s, id, %s, %s FROM placed WHERE created
)
SELECT created, id, request, placed, lapses FROM placed
"""
# Order, labels and seller are inserted by one statement, so that no sold order is stored without its seller.
PLACE_SOLD = """
WITH placed AS (
    SELECT * FROM order_place_by_method(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
), labelled AS (
    INSERT INTO order_labels (account_id, order_id, reference, metadata)
    SELECT %s, id, %s, %s FROM placed WHERE created AND %s
)
SELECT created, id, request, placed, lapses FROM placed
WHERE NOT created OR order_note_seller(%s, id, %s, %s, %s)
"""
LABEL = """
INSERT INTO order_labels (account_id, order_id, reference, metadata) VALUES (%s, %s, %s, %s)
"""
PAY_BY = "SELECT order_pay_by(%s, %s, %s, %s, %s, %s, %s, %s, %s)"
ABANDON = "SELECT order_abandon(%s, %s, %s) AS state"
EXECUTE = "SELECT order_execute(%s, %s) AS state"
# Names of the periodic tasks.
LAPSING, EXECUTING, TURNING = "lapse_orders", "execute_orders", "turn_money_round"
# Each half of the condition uses a separate index: orders_to_lapse, orders_to_lapse_by_choice.
_LAPSES = """state = 'placed' AND (
    pay_until IS NULL AND lapses_at <= now() OR pay_until IS NOT NULL AND pay_until <= now())"""
EXPIRY_DUE = f"SELECT 1 FROM orders WHERE {_LAPSES} ORDER BY lapses_at"  # noqa: S608 - a constant
TO_EXPIRE = f"""
SELECT account_id AS account, order_id AS order FROM orders o WHERE {_LAPSES}
    AND {not_paused(LAPSING, "order_id")}
ORDER BY lapses_at LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - names are constants
# Paid orders without a lot: issuing was stopped when they were paid.
TO_EXECUTE = f"""
SELECT account_id AS account, order_id AS order FROM orders o WHERE state = 'paid' AND due_at > now()
    AND NOT stamps_are_issued(account_id, order_id)
    AND {not_paused(EXECUTING, "order_id")}
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608
# Paid orders past their due time that have no stamps; the room refunds returns their money.
TO_TURN = f"""
SELECT account_id AS account, order_id AS order FROM orders o
WHERE state = 'paid' AND due_at <= now() AND NOT stamps_are_issued(account_id, order_id)
    AND {not_paused(TURNING, "order_id")}
ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
"""  # noqa: S608
# Orders past their due time are left out, since the room refunds returns their money.
# Only tables are used: the forecast of stopping the issuing must work with every version of the schema.
_WAITING = """
SELECT count(*) AS orders, coalesce(sum(total), 0)::bigint AS rupiah FROM orders o
WHERE state = 'paid' AND due_at > now() AND NOT EXISTS (
    SELECT 1 FROM stamp_lots l WHERE l.account_id = o.account_id AND l.lot_id = o.order_id)
"""
# Reads by the index of paid orders (due_at): some thousand rows in the worst hour.  Past their due time, money of orders
# without a lot is returned; orders with a lot are being stamped.
_IN_FLIGHT_NOW = """
SELECT count(*)::integer AS orders, coalesce(sum(total), 0)::bigint AS rupiah, min(paid_at) AS oldest_at,
    count(*) FILTER (WHERE is_late)::integer AS past_due,
    coalesce(sum(total) FILTER (WHERE is_late), 0)::bigint AS past_due_rupiah
FROM (SELECT total, paid_at, due_at <= now() AND NOT stamps_are_issued(account_id, order_id) AS is_late
    FROM orders o WHERE state = 'paid') AS paid
"""
_PAST_DUE = """
SELECT account_id AS account, order_id AS id, total FROM orders o WHERE state = 'paid' AND due_at <= now()
    AND NOT stamps_are_issued(account_id, order_id)
ORDER BY due_at LIMIT %s
"""
_IS_PLACED = "SELECT 1 FROM orders WHERE account_id = %s AND idempotency_key = %s"
_MARKS = """
SELECT o.account_id AS account, o.order_id AS order, md5(ROW(
    o.state, o.paid_at, o.due_at, o.returning_due_at, coalesce(o.pay_until, o.lapses_at) <= now(),
    payment_mark(o.account_id, o.order_id), ledger_mark(o.account_id, o.order_id),
    stamps_mark(o.account_id, o.order_id))::text) AS mark
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (account_id, order_id)
JOIN orders o ON o.account_id = wanted.account_id AND o.order_id = wanted.order_id
"""
# Orders of any account, by the order's id or the client's reference; uses the indexes `orders_by_id` and
# `order_labels_in_all_accounts`.
BY_ID = "SELECT account_id AS account, order_id AS order FROM orders WHERE order_id = %s LIMIT 2"
BY_REFERENCE = """
SELECT account_id AS account, order_id AS order FROM order_labels WHERE reference = %s
ORDER BY labelled_at DESC LIMIT %s
"""
# Paid orders of which half the time from payment to due time has passed.  The first condition lets an index skip orders
# that are due later.
HALF_DUE = """
SELECT account_id AS account, order_id AS id, quantity, total, paid_at, due_at FROM orders
WHERE state = 'paid' AND due_at <= %s + make_interval(secs => %s)
    AND due_at - (due_at - paid_at) / 2 <= %s ORDER BY due_at LIMIT %s
"""
_ORDERS = RowMapper(Order)
# Each subquery uses the index of times, so that rows older than the period are not read.
FIGURES = """
SELECT (SELECT count(*) FROM orders WHERE placed_at > %s AND placed_at <= %s)::integer AS placed,
    count(*)::integer AS executed,
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), 0)::double precision AS median_seconds,
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds), 0)::double precision AS p95_seconds
FROM (SELECT extract(epoch FROM closed_at - paid_at) AS seconds FROM orders
      WHERE closed_at > %s AND closed_at <= %s AND state = 'executed' AND paid_at IS NOT NULL) AS ended
"""
# Orders paid in a period, with their current states; uses the index of times.
_PAID_WITHIN = """
SELECT count(*)::integer AS orders, count(DISTINCT account_id)::integer AS buyers,
    coalesce(sum(total), 0)::bigint AS rupiah,
    count(*) FILTER (WHERE state = 'executed' AND closed_at <= %s)::integer AS executed,
    count(*) FILTER (WHERE state IN ('returning', 'returned'))::integer AS given_back,
    count(*) FILTER (WHERE state = 'denied')::integer AS denied,
    count(*) FILTER (WHERE state = 'paid')::integer AS waiting,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - paid_at))
        FILTER (WHERE state = 'executed')::double precision AS median_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM closed_at - paid_at))
        FILTER (WHERE state = 'executed')::double precision AS p95_seconds
FROM orders WHERE paid_at >= %s AND paid_at < %s AND placed_at < %s
"""
_PAID_IN_SPAN = RowMapper(PaidWithin)
_FIGURES = RowMapper(OrderFigures)
_IN_FLIGHT = RowMapper(OrderInFlight)
_PAST_DUES = RowMapper(OrderPastDue)
_IN_FLIGHTS = RowMapper(InFlight)
_MARKS_OF_ORDERS = RowMapper(OrderMark)
_ORDER_KEYS = RowMapper(OrderKey)
_WAITINGS = RowMapper(WaitingOrders)
_PLACED_ORDERS = RowMapper(PlacedOrder)


async def place(tx: Tx, terms: OrderTerms) -> PlacedOrder:
    """Place an order, or return the order that an earlier request with the same key placed; see
    sql/functions/order_place_by_method.sql.
    """
    written, sold = terms.labels, terms.sold
    if sold is not None:
        labels = (terms.account, written.reference, jsonb(dict(written.metadata)), bool(written))
        seller = (terms.account, sold.account, sold.name, sold.fee)
        placed = await tx.one_as(_PLACED_ORDERS, PLACE_SOLD, *terms.arguments(), *labels, *seller)
    elif written:
        told = (terms.account, written.reference, jsonb(dict(written.metadata)))
        placed = await tx.one_as(_PLACED_ORDERS, PLACE_LABELLED, *terms.arguments(), *told)
    else:
        placed = await tx.one_as(_PLACED_ORDERS, PLACE, *terms.arguments())
    assert placed is not None
    return placed


async def write_labels(tx: Tx, account: UUID, order: UUID, written: Labels) -> None:
    """Insert the client's labels of an order that this transaction places."""
    values = (account, order, written.reference, jsonb(dict(written.metadata)))
    await tx.run(LABEL, *values)


async def note_seller(tx: Tx, account: UUID, order: UUID, sold: SoldBy) -> None:
    """Insert the seller of an order that this transaction places."""
    told = (account, order, sold.account, sold.name, sold.fee)
    await tx.run("SELECT order_note_seller(%s, %s, %s, %s, %s)", *told)


async def is_placed(tx: ReadTx, account: UUID, key: str) -> bool:
    """True if the account has placed an order under this idempotency key already."""
    return await tx.value(_IS_PLACED, account, key) is not None


async def seller_of(tx: ReadTx, account: UUID, order_id: UUID) -> UUID | None:
    """Return the account of the seller of an order; None for our own sale."""
    found: UUID | None = await tx.value(
        "SELECT seller_id FROM order_sellers WHERE account_id = %s AND order_id = %s",
        account,
        order_id,
    )
    return found


async def abandon(tx: Tx, account: UUID, order_id: UUID, state: OrderState) -> OrderState | None:
    """Close an unpaid order as lapsed or withdrawn, and return its state; None if the account has no such order.

    An order that is not unpaid any more is left unchanged, and its state is returned.
    """
    found = await tx.value(ABANDON, account, order_id, state)
    return None if found is None else OrderState(found)


async def pay_by(
    tx: Tx,
    account: UUID,
    order_id: UUID,
    attempt: tuple[UUID, str],
    channel: PaymentChannel,
    seconds: tuple[float, float],
    attempts_max: int,
) -> str:
    """Close the open payment attempts of an unpaid order, and begin another attempt by the channel that the buyer chose.

    attempt  (id, reference) of the new attempt
    seconds  (time to pay the new attempt, longest time from the placing of the order until its payment), in seconds

    Returns 'begun'; 'closed' if the order cannot be paid any more; 'spent' if it already had `attempts_max` attempts. See
    sql/functions/order_pay_by.sql.
    """
    how = (*attempt, channel.provider, channel.method, *seconds, attempts_max)
    return str(await tx.value(PAY_BY, account, order_id, *how))


async def execute(tx: Tx, account: UUID, order_id: UUID) -> None:
    """Execute a paid order if stamps can be issued."""
    await tx.run(EXECUTE, account, order_id)


async def to_expire(tx: Tx, limit: int) -> list[OrderKey]:
    """Lock and return up to `limit` unpaid orders whose time to pay ran out, the earliest first."""
    return await tx.all_as(_ORDER_KEYS, TO_EXPIRE, limit)


async def to_execute(tx: Tx, limit: int) -> list[OrderKey]:
    """Lock and return up to `limit` paid orders that have no stamps yet and are not past their due time.

    They are sorted by due time.
    """
    return await tx.all_as(_ORDER_KEYS, TO_EXECUTE, limit)


async def unexecuted(tx: Tx, limit: int) -> list[OrderKey]:
    """Lock and return up to `limit` paid orders past their due time, whose money is to be returned.

    They are sorted by due time.
    """
    return await tx.all_as(_ORDER_KEYS, TO_TURN, limit)


async def waiting(tx: ReadTx) -> WaitingOrders:
    """Return the number of paid orders that wait to be executed, and the sum of their totals."""
    found = await tx.one_as(_WAITINGS, _WAITING)
    assert found is not None
    return found


async def in_flight(tx: ReadTx) -> InFlight:
    """Return the figures of the paid orders that are neither executed nor being returned."""
    found = await tx.one_as(_IN_FLIGHTS, _IN_FLIGHT_NOW)
    assert found is not None
    return found


async def past_due(tx: ReadTx, limit: int) -> list[OrderPastDue]:
    """Return up to `limit` paid orders past their due time, whose money is to be returned, sorted by due time."""
    return await tx.all_as(_PAST_DUES, _PAST_DUE, limit)


async def by_id(tx: ReadTx, order_id: UUID) -> list[OrderKey]:
    """Return account and id of the orders with this id, of any account; normally there is at most one."""
    return await tx.all_as(_ORDER_KEYS, BY_ID, order_id)


async def order(tx: ReadTx, account: UUID, order_id: UUID) -> Order | None:
    """Return an order of an account; None if the account has no such order."""
    return await tx.one_as(
        _ORDERS,
        f"SELECT {_COLUMNS} FROM orders LEFT JOIN order_labels USING (account_id, order_id)"  # noqa: S608
        " LEFT JOIN order_sellers USING (account_id, order_id)"
        f" WHERE account_id = %s AND order_id = %s",
        account,
        order_id,
    )


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> list[OrderMark]:
    """Return the mark of each of these orders: a text that changes whenever the order, its payments, its money or its stamps
    do.
    """
    columns = ([one.account for one in wanted], [one.order for one in wanted])
    return await tx.all_as(_MARKS_OF_ORDERS, _MARKS, *columns)


async def orders_of(
    tx: ReadTx, account: UUID, before: UUID, limit: int, reference: str | None = None
) -> list[Order]:
    """Return up to `limit` orders of an account, newest first, all older than the order `before`.

    With `reference` only orders with this reference of the client are returned.
    """
    only, told = ("", []) if reference is None else (" AND reference = %s", [reference])
    return await tx.all_as(
        _ORDERS,
        f"SELECT {_COLUMNS} FROM orders LEFT JOIN order_labels USING (account_id, order_id)"  # noqa: S608
        " LEFT JOIN order_sellers USING (account_id, order_id)"
        f" WHERE account_id = %s AND order_id < %s{only}"
        " ORDER BY order_id DESC LIMIT %s",
        account,
        before,
        *told,
        limit,
    )


async def paid_of(tx: ReadTx, account: UUID, limit: int) -> list[Order]:
    """Return up to `limit` of the newest paid orders of an account."""
    return await tx.all_as(
        _ORDERS,
        f"SELECT {_COLUMNS} FROM orders LEFT JOIN order_labels USING (account_id, order_id)"  # noqa: S608
        " LEFT JOIN order_sellers USING (account_id, order_id)"
        " WHERE account_id = %s AND paid_at IS NOT NULL ORDER BY order_id DESC LIMIT %s",
        account,
        limit,
    )


async def settle(
    tx: Tx, account: UUID, order_id: UUID, attempt: UUID, payment: str, amount: int
) -> str:
    """Book a captured payment (`amount` in rupiah) to its order, and issue the stamps.

    Returns the outcome; see sql/functions/order_settle.sql.
    """
    outcome = await tx.value(
        "SELECT order_settle(%s, %s, %s, %s, %s)", account, order_id, attempt, payment, amount
    )
    assert isinstance(outcome, str)
    return outcome


async def moved(
    tx: Tx, account: UUID, order: UUID, attempt: UUID, payment: str, restored: int, entry: str
) -> None:
    """Update an order after money of one of its payments was lost, or came back; see sql/functions/order_moved.sql.

    `restored` is the rupiah that came back, 0 if money was lost; `entry` is the id of the ledger entry that booked the
    restored rupiah.
    """
    await tx.run(
        "SELECT order_moved(%s, %s, %s, %s, %s, %s)",
        account,
        order,
        attempt,
        payment,
        restored,
        entry,
    )


async def won(tx: Tx, account: UUID, order: UUID, attempt: UUID, payment: str, left: int) -> bool:
    """Book a chargeback that was won, after which the payer's bank keeps only `left` rupiah of the payment.

    False if that was booked before.
    """
    return bool(
        await tx.value(
            "SELECT order_won(%s, %s, %s, %s, %s)", account, order, attempt, payment, left
        )
    )


async def stamps_gone(tx: Tx, account: UUID, order: UUID, stamps: int) -> None:
    """Reduce the loss of an order by the price of `stamps` retired stamps; see sql/functions/order_stamps_gone.sql."""
    await tx.run("SELECT order_stamps_gone(%s, %s, %s)", account, order, stamps)


async def finish(tx: Tx, account: UUID, order_id: UUID) -> bool:
    """Mark an order as executed, since all its documents are stamped; False if the order is not in the state `paid`."""
    return bool(await tx.value("SELECT order_finish(%s, %s)", account, order_id))


# Only orders placed within the last hour, which an index finds.
_PACE = """
SELECT count(*)::integer AS orders, coalesce(percentile_cont(0.5) WITHIN GROUP (
    ORDER BY extract(epoch FROM closed_at - paid_at)), 0)::double precision AS seconds
FROM orders WHERE placed_at > now() - interval '1 hour' AND closed_at > now() - interval '15 minutes'
    AND state = 'executed' AND paid_at IS NOT NULL
"""
_PACES = RowMapper(ExecutionPace)


async def pace(tx: ReadTx) -> ExecutionPace:
    """Return how many orders were executed in the last 15 minutes, and the median time from payment to execution."""
    found = await tx.one_as(_PACES, _PACE)
    assert found is not None
    return found


async def by_reference(tx: ReadTx, reference: str, limit: int) -> list[OrderKey]:
    """Return up to `limit` orders with this reference of a client, of any account, newest first."""
    return await tx.all_as(_ORDER_KEYS, BY_REFERENCE, reference, limit)


async def half_due(tx: ReadTx, at: datetime, due_seconds: float, limit: int) -> list[OrderInFlight]:
    """Return up to `limit` paid orders for which, at the time `at`, half of the time from payment to due time has passed.

    `due_seconds` is the longest time from payment to due time of any order.  The orders are sorted by due time.
    """
    return await tx.all_as(_IN_FLIGHT, HALF_DUE, at, due_seconds / 2, at, limit)


async def figures_within(tx: ReadTx, since: datetime, until: datetime) -> OrderFigures:
    """Return the numbers of orders placed and executed in a period, and how long the execution took."""
    found = await tx.one_as(_FIGURES, FIGURES, since, until, since, until)
    assert found is not None
    return found


async def paid_within(tx: ReadTx, since: datetime, until: datetime) -> PaidWithin:
    """Return the figures of the orders paid in a period, such as how many were executed within it, and how many are in other
    states now.
    """
    found = await tx.one_as(_PAID_IN_SPAN, _PAID_WITHIN, until, since, until, until)
    assert found is not None
    return found
