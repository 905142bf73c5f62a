"""SQL of stamping, one function per question."""

from uuid import UUID

from meterai.plumbing.database import ReadTx, Row, Tx
from meterai.sealing import Placement
from meterai.stamping.model import Stamping, StampingState

RESERVE = """
SELECT created, id, request, name, requested_at, due_at
FROM stamping_reserve(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
RESERVE_ALL = "SELECT created, id, request FROM stampings_reserve(%s, %s, %s, %s, %s, %s)"
DELIVER = """
SELECT state, delivered_at, is_ours FROM stamping_deliver(%s, %s, %s, %s, %s)
"""
FAIL = "SELECT stamping_fail(%s, %s, %s) AS state"
# One of several workers gets each; the others find the lease taken.
TO_RESUME = """
UPDATE stampings SET leased_until = now() + make_interval(secs => %s), tries = tries + 1
WHERE (account_id, stamping_id) IN (
    SELECT account_id, stamping_id FROM stampings
    WHERE state = 'reserved' AND leased_until <= now()
    ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING account_id, stamping_id, due_at <= now() AS is_late, tries
"""
LEASE = """
UPDATE stampings SET leased_until = now() + make_interval(secs => %s), tries = tries + 1
WHERE account_id = %s AND stamping_id = %s AND state = 'reserved' AND leased_until <= now()
RETURNING stamping_id
"""
# For whoever seals one document of a request after the other.  Of those still untouched: a
# stamping that somebody else took up meanwhile has been tried.
KEEP_LEASES = """
UPDATE stampings SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND stamping_id = ANY (%s) AND state = 'reserved' AND tries = 0
RETURNING stamping_id
"""
_SELECT = """
SELECT s.account_id, s.stamping_id, s.order_id, s.state, s.sha256_original, s.sha256_stamped,
       s.placements, s.requested_at, s.due_at, s.delivered_at, s.refused, s.is_repaired, d.name,
       d.forgotten_at IS NOT NULL AS is_forgotten,
       ARRAY(SELECT t.serial FROM stamps t WHERE t.account_id = s.account_id
             AND t.stamping_id = s.stamping_id AND t.state <> 'void' ORDER BY t.position) AS serials
FROM stampings s
JOIN documents d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
"""
STAMPING = _SELECT + "WHERE s.account_id = %s AND s.stamping_id = %s"
STAMPINGS = _SELECT + "WHERE s.account_id = %s AND s.stamping_id = ANY (%s)"
FROM_BALANCE = _SELECT + (
    "WHERE s.account_id = %s AND s.order_id IS NULL AND s.stamping_id < %s"
    " ORDER BY s.stamping_id DESC LIMIT %s"
)
# Of these documents: what has its stamps, or may still get them.
ALIVE = (
    _SELECT
    + """
LEFT JOIN orders o ON o.account_id = s.account_id AND o.order_id = s.order_id
WHERE s.account_id = %s AND s.sha256_original = ANY (%s) AND s.stamping_id <> ALL (%s)
    AND (s.state IN ('reserved', 'delivered')
         OR (s.state = 'waiting' AND o.state IN ('placed', 'paid')))
ORDER BY s.stamping_id DESC LIMIT 20
"""
)
# In the order in which everybody locks documents, so that two requests wait for each other here.
LOCK_DOCUMENTS = """
SELECT 1 AS locked FROM documents WHERE account_id = %s AND sha256 = ANY (%s)
ORDER BY sha256 FOR UPDATE
"""
OF_ORDERS = _SELECT + "WHERE s.account_id = %s AND s.order_id = ANY(%s) ORDER BY s.position"


def stamping_of(row: Row) -> Stamping:
    """A row of these queries as the model has it."""
    return Stamping(
        row["account_id"],
        row["stamping_id"],
        row["order_id"],
        StampingState(row["state"]),
        row["sha256_original"],
        row["sha256_stamped"],
        tuple(Placement(**one) for one in row["placements"]),
        row["requested_at"],
        row["due_at"],
        row["delivered_at"],
        row["refused"],
        row["name"],
        row["is_forgotten"],
        tuple(row["serials"]),
        row["is_repaired"],
    )


async def insert_waiting(
    tx: Tx,
    account: UUID,
    stamping: UUID,
    order: UUID,
    position: int,
    *,
    request: bytes,
    sha256: bytes,
    placements: object,
    quantity: int,
    is_repaired: bool = False,
) -> None:
    """Record a document of an order; it waits for the payment."""
    await tx.run(
        "INSERT INTO stampings (account_id, stamping_id, order_id, position, idempotency_key,"
        " request_hash, sha256_original, placements, quantity, is_repaired, state)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'waiting')",
        account,
        stamping,
        order,
        position,
        f"{order}:{position}",
        request,
        sha256,
        placements,
        quantity,
        is_repaired,
    )


async def waiting_of_order(tx: Tx, account: UUID, order: UUID) -> list[Row]:
    """Documents of an order that wait for its payment."""
    return await tx.all(
        "SELECT stamping_id, quantity FROM stampings"
        " WHERE account_id = %s AND order_id = %s AND state = 'waiting' ORDER BY position",
        account,
        order,
    )


async def reserve_ordered(
    tx: Tx, account: UUID, stamping: UUID, serials: list[str], due_at: object
) -> None:
    """Hold the order's own stamps for one of its documents."""
    await tx.run(
        "SELECT stamping_reserve_ordered(%s, %s, %s, %s)", account, stamping, serials, due_at
    )


async def drop_waiting(tx: Tx, account: UUID, order: UUID) -> None:
    """The order came to nothing."""
    await tx.run(
        "UPDATE stampings SET state = 'dropped'"
        " WHERE account_id = %s AND order_id = %s AND state = 'waiting'",
        account,
        order,
    )


async def unfinished_of_order(tx: Tx, account: UUID, order: UUID) -> Row:
    """How many documents of an order are not done, and how many are delivered."""
    row = await tx.one(
        "SELECT count(*) FILTER (WHERE state IN ('waiting', 'reserved')) AS open,"
        " count(*) FILTER (WHERE state = 'delivered') AS delivered"
        " FROM stampings WHERE account_id = %s AND order_id = %s",
        account,
        order,
    )
    assert row is not None
    return row


async def delta(tx: ReadTx, account: UUID, stamping: UUID) -> bytes | None:
    """The delta of a stamping."""
    found = await tx.value(
        "SELECT delta FROM deltas WHERE account_id = %s AND stamping_id = %s", account, stamping
    )
    assert found is None or isinstance(found, bytes)
    return found


async def knows_key(tx: ReadTx, account: UUID, key: str) -> bool:
    """Whether something was asked with this key; before keys had their table, or for a part of it."""
    row = await tx.one(
        "SELECT 1 AS found FROM stamping_keys WHERE account_id = %s AND idempotency_key = %s"
        " UNION ALL SELECT 1 FROM stampings WHERE account_id = %s"
        " AND (idempotency_key = %s OR starts_with(idempotency_key, %s)) LIMIT 1",
        account,
        key,
        account,
        key,
        f"{key}:",
    )
    return row is not None
