"""SQL queries of stamping, one function for each."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from meterai.kit.ids import earliest_id
from meterai.kit.labels import NO_LABELS, Labels
from meterai.kit.serial import Serial
from meterai.orders import OrderKey, OrderMark, OrderTerms, PlacedOrder
from meterai.plumbing.db.database import ReadTx, Tx, jsonb
from meterai.plumbing.db.rows import RowMapper
from meterai.sealing import Delta, Placement
from meterai.stamping.facts import NO_FACTS, DocumentFacts, DocumentParty, kept_facts
from meterai.stamping.model import (
    Delivery,
    OrderProgress,
    Reservation,
    ReservedDocument,
    ReservedStampings,
    StampedDocument,
    Stamping,
    StampingFilter,
    StampingKey,
    StampingOutcome,
    StampingStuck,
    StampingToResume,
    WaitingDocument,
    placements_json,
)

RESERVE = """SELECT created, id, request, name, requested_at, due_at
FROM stamping_reserve(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"""
# Refuses missing facts for an account whose documents need all of them, before anything is reserved. It takes one look
# into a small index, and none if no fact is missing.
_TOLD = "WHERE NOT EXISTS (SELECT 1 FROM facts_demanded d WHERE d.account_id = %s AND facts_missing(%s))"
_FACTS = "type, number, dated, value, party_name, identity_kind, identity_number"
_KEEP_FACTS = f"""
INSERT INTO stamping_facts (account_id, stamping_id, {_FACTS})
SELECT %s, f.stamping, {_FACTS} FROM jsonb_to_recordset(%s) AS f (stamping uuid, type text, number text, dated date,
    value bigint, party_name text, identity_kind text, identity_number text)
"""  # noqa: S608 - a constant
# Written in one statement with the stamping itself.
_LABELLED = """, labelled AS (
    INSERT INTO stamping_labels (account_id, stamping_id, reference, metadata)
    SELECT %s, id, %s, %s FROM made WHERE created
)"""
_OF_MADE = "WHERE f.stamping IN (SELECT id FROM made WHERE created)"
_MADE_BY = (
    "SELECT 1 FROM stampings WHERE account_id = %s AND stamping_id = %s AND idempotency_key = %s"
)
_RESERVE_ALL = "SELECT created, id, request FROM stampings_reserve(%s, %s, %s, %s, %s, %s)"
ORDER = """
SELECT created, id, request, placed, lapses
FROM stampings_order(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_OF_ORDER_MADE = "WHERE EXISTS (SELECT 1 FROM made WHERE created)"
DELIVER = """
SELECT state, delivered_at, is_ours FROM stamping_deliver(%s, %s, %s, %s, %s)
"""
FAIL = "SELECT stamping_fail(%s, %s, %s) AS state"
# Each of these is leased by only one of several workers.
RESUMPTION_DUE = """
SELECT 1 FROM stampings WHERE state = 'reserved' AND leased_until <= now() ORDER BY leased_until
"""
_RESERVE_EACH = "SELECT asked, id, created FROM stampings_reserve_each(%s, %s, %s, %s)"
_DELIVER_EACH = "SELECT stampings_deliver(%s, %s, %s, %s, %s) AS stamping"
_TO_RESUME = """
WITH due AS MATERIALIZED (
    SELECT account_id, stamping_id FROM stampings
    WHERE state = 'reserved' AND leased_until <= now()
    ORDER BY leased_until LIMIT %s FOR UPDATE SKIP LOCKED)
UPDATE stampings SET leased_until = now() + make_interval(secs => %s), tries = tries + 1
WHERE (account_id, stamping_id) IN (TABLE due)
RETURNING account_id AS account, stamping_id AS stamping, due_at <= now() AS is_late
"""
_UNDER_WAY = """
SELECT count(*)::integer AS stampings, count(*) FILTER (WHERE leased_until <= now())::integer AS interrupted,
    min(requested_at) AS oldest_at FROM stampings WHERE state = 'reserved'
"""
_LEASE = """
UPDATE stampings SET leased_until = now() + make_interval(secs => %s), tries = tries + 1
WHERE account_id = %s AND stamping_id = %s AND state = 'reserved' AND leased_until <= now()
RETURNING stamping_id
"""
# For a process that seals the documents of a request one after the other. A stamping with a try is left out, since
# another process leased it meanwhile.
_KEEP_LEASES = """
UPDATE stampings SET leased_until = now() + make_interval(secs => %s)
WHERE account_id = %s AND stamping_id = ANY (%s) AND state = 'reserved' AND tries = 0
RETURNING stamping_id
"""
_SELECT = """
SELECT s.account_id AS account, s.stamping_id AS id, s.order_id AS order, s.state,
       s.sha256_original, s.sha256_stamped, s.placements, s.requested_at, s.due_at, s.delivered_at,
       s.refused, s.is_repaired, d.name AS document_name, d.kept_until,
       d.is_forgotten,
       ARRAY(SELECT t.serial FROM stamps_shown() t WHERE t.account_id = s.account_id
             AND t.stamping_id = s.stamping_id ORDER BY t.position) AS serials,
       l.reference, l.metadata, s.is_quiet
FROM stampings s
LEFT JOIN stamping_labels l ON l.account_id = s.account_id AND l.stamping_id = s.stamping_id
JOIN documents_shown() d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
"""
_STAMPING = _SELECT + "WHERE s.account_id = %s AND s.stamping_id = %s"
_STAMPINGS = _SELECT + "WHERE s.account_id = %s AND s.stamping_id = ANY (%s)"
_STATES = """
SELECT stamping_id AS id, state, refused FROM stampings WHERE account_id = %s AND stamping_id = ANY (%s)
"""
_FROM_BALANCE = _SELECT + (
    "WHERE s.account_id = %s AND s.order_id IS NULL AND s.stamping_id < %s"
    " ORDER BY s.stamping_id DESC LIMIT %s"
)
# An id, which contains the time at which it was made, is at most so much older than its row.
_WRITTEN_SECONDS_MAX = 86_400
# Stampings of these documents that have their stamps or may still get them, newest first.
_ALIVE = (
    _SELECT
    + """
LEFT JOIN orders_told() o ON o.account_id = s.account_id AND o.order_id = s.order_id
WHERE s.account_id = %s AND s.sha256_original = ANY (%s) AND s.stamping_id <> ALL (%s)
    AND (s.state IN ('reserved', 'delivered')
         OR (s.state = 'waiting' AND o.state IN ('placed', 'paid')))
ORDER BY s.stamping_id DESC LIMIT 20
"""
)
_LOCK_DOCUMENTS = "SELECT documents_lock(%s, %s)"
_MARKS = """
SELECT s.account_id AS account, s.order_id AS order, md5(string_agg(
    ROW(s.stamping_id, s.state, s.refused, s.is_repaired, s.delivered_at, s.sha256_stamped,
        d.is_forgotten)::text, ' ' ORDER BY s.position)) AS mark
FROM unnest(%s::uuid[], %s::uuid[]) AS wanted (account_id, order_id)
JOIN stampings s ON s.account_id = wanted.account_id AND s.order_id = wanted.order_id
JOIN documents_shown() d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
GROUP BY s.account_id, s.order_id
"""
_STAMPED = """
SELECT s.state, s.sha256_original, d.name AS document_name, d.is_forgotten, x.delta
FROM stampings s
JOIN documents_shown() d ON d.account_id = s.account_id AND d.sha256 = s.sha256_original
LEFT JOIN deltas x ON x.account_id = s.account_id AND x.stamping_id = s.stamping_id
WHERE s.account_id = %s AND s.stamping_id = %s
"""
# Searches by id, digest or reference in all accounts; each has an index.
BY_ID = "SELECT account_id AS account, stamping_id AS stamping FROM stampings WHERE stamping_id = %s LIMIT 2"
BY_DIGEST = """
SELECT account_id AS account, stamping_id AS stamping FROM stampings
WHERE sha256_original = %s OR sha256_stamped = %s ORDER BY stamping_id DESC LIMIT %s
"""
BY_REFERENCE = """
SELECT account_id AS account, stamping_id AS stamping FROM stamping_labels WHERE reference = %s
ORDER BY labelled_at DESC LIMIT %s
"""
# Stampings that wait long for their first seal, or that were resumed and did not end; the oldest first.
STUCK = """
SELECT account_id AS account, stamping_id AS stamping, quantity, tries, requested_at, due_at FROM stampings
WHERE state = 'reserved' AND (requested_at <= %s OR tries > 0) ORDER BY requested_at LIMIT %s
"""
_OF_DIGEST = _SELECT + (
    "WHERE s.account_id = %s AND (s.sha256_original = %s OR s.sha256_stamped = %s)"
    " ORDER BY s.stamping_id DESC LIMIT 1"
)
_OF_ORDERS = _SELECT + "WHERE s.account_id = %s AND s.order_id = ANY(%s) ORDER BY s.position"


def _placements(stored: list[dict[str, Any]]) -> tuple[Placement, ...]:
    return tuple(Placement(**one) for one in stored)


_STAMPING_ROWS = RowMapper(Stamping, placements=_placements, serials=tuple)
_STAMPED_DOCUMENTS = RowMapper(StampedDocument)
_RESERVED_DOCUMENTS = RowMapper(ReservedDocument)
_RESERVATIONS = RowMapper(Reservation)
_PLACED = RowMapper(PlacedOrder)
_DELIVERIES = RowMapper(Delivery)
_UNDER_WAYS = RowMapper(ReservedStampings)
_TO_RESUME_ROWS = RowMapper(StampingToResume)
_WAITING = RowMapper(WaitingDocument)
_PROGRESS = RowMapper(OrderProgress)
_MARKS_OF_ORDERS = RowMapper(OrderMark)
_STAMPING_KEYS = RowMapper(StampingKey)
_STUCK = RowMapper(StampingStuck)
_OUTCOMES = RowMapper(StampingOutcome)


async def stamping(tx: ReadTx, account: UUID, stamping: UUID) -> Stamping | None:
    """Return a stamping with its document, serials and labels; None if the account has no such stamping."""
    return await tx.one_as(_STAMPING_ROWS, _STAMPING, account, stamping)


async def originals(
    tx: ReadTx, of: Sequence[tuple[UUID, UUID]]
) -> Mapping[tuple[UUID, UUID], bytes]:
    """Return the SHA-256 of the original of each of these stampings, by account and id."""
    found = await tx.all(
        "SELECT account_id, stamping_id, sha256_original FROM stampings WHERE (account_id, stamping_id)"
        " IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))",
        [account for account, _ in of],
        [stamping for _, stamping in of],
    )
    return {(row["account_id"], row["stamping_id"]): row["sha256_original"] for row in found}


async def stamping_of_digest(tx: ReadTx, account: UUID, sha256: bytes) -> Stamping | None:
    """Return the newest stamping of this account whose original or stamped document has this SHA-256."""
    return await tx.one_as(_STAMPING_ROWS, _OF_DIGEST, account, sha256, sha256)


async def stampings(tx: ReadTx, account: UUID, ids: Sequence[UUID]) -> list[Stamping]:
    """Return the stampings with these ids, in no particular order."""
    return await tx.all_as(_STAMPING_ROWS, _STAMPINGS, account, list(ids))


async def stampings_of_orders(
    tx: ReadTx, account: UUID, order_ids: Sequence[UUID]
) -> list[Stamping]:
    """Return the stampings of these orders, sorted by the position of the document in its order."""
    return await tx.all_as(_STAMPING_ROWS, _OF_ORDERS, account, list(order_ids))


async def by_id(tx: ReadTx, stamping: UUID) -> list[StampingKey]:
    """Return account and id of the stampings with this id, of any account."""
    return await tx.all_as(_STAMPING_KEYS, BY_ID, stamping)


async def by_digest(tx: ReadTx, sha256: bytes, limit: int) -> list[StampingKey]:
    """Return account and id of stampings, of any account, whose original or stamped file has this SHA-256, newest first."""
    return await tx.all_as(_STAMPING_KEYS, BY_DIGEST, sha256, sha256, limit)


async def by_reference(tx: ReadTx, reference: str, limit: int) -> list[StampingKey]:
    """Return account and id of stampings, of any account, to which a client gave this reference, newest first."""
    return await tx.all_as(_STAMPING_KEYS, BY_REFERENCE, reference, limit)


async def stuck(tx: ReadTx, before: datetime, limit: int) -> list[StampingStuck]:
    """Return reserved stampings that were requested before the time `before` or that had to be resumed, the oldest first."""
    return await tx.all_as(_STUCK, STUCK, before, limit)


async def marks(tx: ReadTx, wanted: Sequence[OrderKey]) -> list[OrderMark]:
    """Return a version tag for each of these orders, computed from the documents of the order.

    The orders may belong to several accounts. Orders without documents are omitted.
    """
    columns = ([one.account for one in wanted], [one.order for one in wanted])
    return await tx.all_as(_MARKS_OF_ORDERS, _MARKS, *columns)


async def from_balance(tx: ReadTx, account: UUID, before: UUID, limit: int) -> list[Stamping]:
    """Return stampings that an account made from its balance, with ids before `before`, newest first."""
    return await tx.all_as(_STAMPING_ROWS, _FROM_BALANCE, account, before, limit)


async def listed(
    tx: ReadTx, account: UUID, before: UUID, limit: int, wanted: StampingFilter
) -> list[Stamping]:
    """Return stampings of an account that match the filter, with ids before `before`, newest first."""
    # Ids are in the order of time, so the earliest time of the request bounds the search.
    since = wanted.since
    first = earliest_id(since, margin_seconds=_WRITTEN_SECONDS_MAX) if since else None
    asked = {
        "s.state = %s": wanted.state,
        "l.reference = %s": wanted.reference,
        "s.sha256_original = %s": wanted.sha256,
        "s.requested_at >= %s": since,
        "s.stamping_id >= %s": first,
    }
    filters = {text: value for text, value in asked.items() if value is not None}
    conditions = " AND ".join(("s.account_id = %s", "s.stamping_id < %s", *filters))
    query = f"{_SELECT} WHERE {conditions} ORDER BY s.stamping_id DESC LIMIT %s"
    return await tx.all_as(_STAMPING_ROWS, query, account, before, *filters.values(), limit)


async def alive(
    tx: ReadTx, account: UUID, sha256: Sequence[bytes], without: Sequence[UUID]
) -> list[Stamping]:
    """Return the delivered and the open stampings of these documents, except the stampings in `without`."""
    return await tx.all_as(_STAMPING_ROWS, _ALIVE, account, list(sha256), list(without))


async def lock_documents(tx: Tx, account: UUID, sha256: Sequence[bytes]) -> None:
    """Lock these documents in the order that all transactions use, which prevents deadlocks."""
    await tx.run(_LOCK_DOCUMENTS, account, list(sha256))


def _with_facts(
    account: UUID,
    query: str,
    facts: Mapping[UUID, DocumentFacts],
    labels: Labels = NO_LABELS,
    made: str = _OF_MADE,
) -> tuple[str, list[object]]:
    """Extend a query that reserves stampings so that one statement also stores their facts and labels.

    Returns the statement and its parameters. `facts` maps the ids of the new stampings to the facts of their documents;
    incomplete facts of a collector are refused.
    """
    missing = next((one.missing for one in facts.values() if one.missing), None)
    checked: list[object] = [account if missing else None, missing]
    kept = [kept_facts(one, stamping) for stamping, one in facts.items() if one]
    if not kept and not labels:
        return f"{query} {_TOLD}", checked
    parts = [f"WITH made AS ({query} {_TOLD})"]
    if labels:
        parts.append(_LABELLED)
        checked += [account, labels.reference, jsonb(dict(labels.metadata))]
    if kept:
        parts.append(f", kept AS ({_KEEP_FACTS} {made})")
        checked += [account, jsonb(kept)]
    return " ".join([*parts, "SELECT * FROM made"]), checked


async def reserve(
    tx: Tx,
    account: UUID,
    stamping: UUID,
    key: str,
    *,
    request: bytes,
    sha256: bytes,
    placements: Sequence[Placement],
    serials: Sequence[Serial],
    due_seconds: float,
    lease_seconds: float,
    about: Sequence[object],
    is_repaired: bool,
    labels: Labels = NO_LABELS,
    facts: DocumentFacts = NO_FACTS,
) -> ReservedDocument:
    """Reserve a stamping from the balance; see sql/functions/stamping_reserve.sql. Refuses `DocumentFactsMissing`."""
    query, more = _with_facts(account, RESERVE, {stamping: facts}, labels)
    made = await tx.one_as(
        _RESERVED_DOCUMENTS,
        query,
        account,
        stamping,
        key,
        request,
        sha256,
        jsonb(placements_json(placements)),
        [serial.text for serial in serials],
        due_seconds,
        lease_seconds,
        *about,
        is_repaired,
        *more,
    )
    assert made is not None
    return made


async def is_made_by(tx: ReadTx, account: UUID, stamping: UUID, key: str) -> bool:
    """True if the request with this key created the stamping; a request with another key may have joined it."""
    return await tx.value(_MADE_BY, account, stamping, key) is not None


async def reserve_all(
    tx: Tx,
    account: UUID,
    key: str,
    request: bytes,
    wanted: Sequence[dict[str, object]],
    *,
    due_seconds: float,
    lease_seconds: float,
    facts: Mapping[UUID, DocumentFacts],
) -> list[Reservation]:
    """Reserve the documents of one request, all or none. Return a reservation for each item of `wanted`, in the same order."""
    documents = jsonb(list(wanted))
    query, more = _with_facts(account, _RESERVE_ALL, facts)
    return await tx.all_as(
        _RESERVATIONS,
        query,
        account,
        key,
        request,
        documents,
        due_seconds,
        lease_seconds,
        *more,
    )


async def deliver(tx: Tx, account: UUID, stamping: UUID, delta: Delta) -> Delivery:
    """Deliver a stamping: store the delta and mark its held stamps as affixed, unless another process did so before."""
    made = await tx.one_as(
        _DELIVERIES,
        DELIVER,
        account,
        stamping,
        delta.data,
        hashlib.sha256(delta.data).digest(),
        delta.sha256_stamped,
    )
    assert made is not None
    return made


async def reserve_each(
    tx: Tx,
    account: UUID,
    wanted: Sequence[dict[str, object]],
    *,
    due_seconds: float,
    lease_seconds: float,
    facts: Mapping[UUID, DocumentFacts],
) -> Mapping[UUID, tuple[UUID, bool]]:
    """Reserve documents separately; see sql/functions/stampings_reserve_each.sql.

    The result maps the id of each requested stamping to the id of the reserved stamping, together with True if that stamping is
    new. It is not new if the same document with the same placements already had an unfinished stamping.
    """
    documents = jsonb(list(wanted))
    query, more = _with_facts(account, _RESERVE_EACH, facts)
    rows = await tx.all(query, account, documents, due_seconds, lease_seconds, *more)
    return {row["asked"]: (row["id"], row["created"]) for row in rows}


async def deliver_each(tx: Tx, account: UUID, deltas: Mapping[UUID, Delta]) -> set[UUID]:
    """Deliver several stampings. Return the ids of those that this call delivered.

    Another process may have delivered the others before.
    """
    made = list(deltas.values())
    rows = await tx.all(
        _DELIVER_EACH,
        account,
        list(deltas),
        [one.data for one in made],
        [hashlib.sha256(one.data).digest() for one in made],
        [one.sha256_stamped for one in made],
    )
    return {row["stamping"] for row in rows}


async def fail(tx: Tx, account: UUID, stamping: UUID, code: str) -> None:
    """Fail a reserved stamping: give back its stamps, and store the code of the refusal."""
    await tx.run(FAIL, account, stamping, code)


async def states(tx: ReadTx, account: UUID, ids: Sequence[UUID]) -> Mapping[UUID, StampingOutcome]:
    """Return the state of each of these stampings, by its id, with the reason of a failed one."""
    found = await tx.all_as(_OUTCOMES, _STATES, account, list(ids))
    return {one.id: one for one in found}


async def under_way(tx: ReadTx) -> ReservedStampings:
    """Count the reserved stampings, and those among them that no process seals."""
    found = await tx.one_as(_UNDER_WAYS, _UNDER_WAY)
    assert found is not None
    return found


async def lease_to_resume(tx: Tx, lease_seconds: float, limit: int) -> list[StampingToResume]:
    """Lease reserved stampings that no process seals, at most `limit`, to this process."""
    return await tx.all_as(_TO_RESUME_ROWS, _TO_RESUME, limit, lease_seconds)


async def lease(tx: Tx, account: UUID, stamping: UUID, lease_seconds: float) -> bool:
    """Lease a stamping to this process. False if another process has the lease, or the stamping ended."""
    return bool(await tx.run(_LEASE, lease_seconds, account, stamping))


async def keep_leases(
    tx: Tx, account: UUID, ids: Sequence[UUID], lease_seconds: float
) -> set[UUID]:
    """Renew the leases of waiting stampings. Return the ids of the stampings that this process still leases."""
    kept = await tx.all(_KEEP_LEASES, lease_seconds, account, list(ids))
    return {row["stamping_id"] for row in kept}


async def order(
    tx: Tx,
    terms: OrderTerms,
    documents: Sequence[dict[str, object]],
    agreed: Collection[bytes],
    facts: Mapping[UUID, DocumentFacts],
) -> PlacedOrder | None:
    """Place an order with its documents, or find the order that the same key placed before.

    Returns None if a document that is not in `agreed` was stamped before. See sql/functions/stampings_order.sql.
    """
    hexes = [one.hex() for one in agreed]
    query, more = _with_facts(terms.account, ORDER, facts, made=_OF_ORDER_MADE)
    return await tx.one_as(_PLACED, query, *terms.arguments(), jsonb(list(documents)), hexes, *more)


async def are_facts_demanded(tx: ReadTx, account: UUID) -> bool:
    """True if the facts of each document of an account must be complete, as the law demands of a collector."""
    return bool(
        await tx.value(
            "SELECT EXISTS (SELECT 1 FROM facts_demanded WHERE account_id = %s)", account
        )
    )


async def facts_of(tx: ReadTx, account: UUID, stamping: UUID) -> DocumentFacts:
    """Return the facts that the sender stated about the document of a stamping; empty facts if none were stated."""
    found = await tx.one(
        f"SELECT {_FACTS} FROM stamping_facts WHERE account_id = %s AND stamping_id = %s",  # noqa: S608
        account,
        stamping,
    )
    if found is None:
        return NO_FACTS
    party = DocumentParty(
        name=found["party_name"], identity=found["identity_kind"], number=found["identity_number"]
    )
    dated = found["dated"]
    return DocumentFacts(
        type=found["type"],
        number=found["number"],
        date=dated.isoformat() if dated else None,
        value=found["value"],
        party=party,
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
    placements: Sequence[Placement],
    is_repaired: bool = False,
    before: UUID | None = None,
) -> None:
    """Insert the stamping of one document of an order; the stamping waits for the payment of the order.

    `before` is the stamping of the same document in an earlier order, from which the facts of the document are copied.
    """
    await tx.run(
        "WITH made AS (INSERT INTO stampings (account_id, stamping_id, order_id, position, idempotency_key,"  # noqa: S608
        " request_hash, sha256_original, placements, quantity, is_repaired, state)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'waiting'))"
        f" INSERT INTO stamping_facts (account_id, stamping_id, {_FACTS})"
        f" SELECT account_id, %s, {_FACTS} FROM stamping_facts WHERE account_id = %s AND stamping_id = %s",
        account,
        stamping,
        order,
        position,
        f"{order}:{position}",
        request,
        sha256,
        jsonb(placements_json(placements)),
        len(placements),
        is_repaired,
        stamping,
        account,
        before,
    )


async def waiting_of_order(tx: Tx, account: UUID, order: UUID) -> list[WaitingDocument]:
    """Return the documents that wait for the payment of an order, sorted by their position in the order."""
    return await tx.all_as(
        _WAITING,
        "SELECT stamping_id AS stamping, quantity FROM stampings"
        " WHERE account_id = %s AND order_id = %s AND state = 'waiting' ORDER BY position",
        account,
        order,
    )


async def reserve_ordered(
    tx: Tx, account: UUID, stamping: UUID, serials: Sequence[Serial], due_at: datetime
) -> None:
    """Reserve a stamping of a paid order, using stamps of that order."""
    texts = [serial.text for serial in serials]
    await tx.run(
        "SELECT stamping_reserve_ordered(%s, %s, %s, %s)", account, stamping, texts, due_at
    )


async def drop_waiting(tx: Tx, account: UUID, order: UUID) -> None:
    """Mark the stampings of an order that wait for its payment as dropped."""
    await tx.run(
        "UPDATE stampings SET state = 'dropped'"
        " WHERE account_id = %s AND order_id = %s AND state = 'waiting'",
        account,
        order,
    )


async def unfinished_of_order(tx: Tx, account: UUID, order: UUID) -> OrderProgress:
    """Count the open and the delivered documents of an order."""
    found = await tx.one_as(
        _PROGRESS,
        "SELECT count(*) FILTER (WHERE state IN ('waiting', 'reserved')) AS open,"
        " count(*) FILTER (WHERE state = 'delivered') AS delivered"
        " FROM stampings WHERE account_id = %s AND order_id = %s",
        account,
        order,
    )
    assert found is not None
    return found


async def stamped(tx: ReadTx, account: UUID, stamping: UUID) -> StampedDocument | None:
    """Return the data for a download, the delta included; None if the account has no such stamping."""
    return await tx.one_as(_STAMPED_DOCUMENTS, _STAMPED, account, stamping)


async def knows_key(tx: ReadTx, account: UUID, key: str) -> bool:
    """True if a request of the account used this Idempotency-Key.

    The rows of stampings are searched too: if a request has several documents, the row of each one has the key with a suffix;
    and a request of an earlier release has no row in `stamping_keys`.
    """
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
