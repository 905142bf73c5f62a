"""SQL of stamps, one function for each statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from meterai.kit.serial import Serial
from meterai.plumbing.db.database import ReadTx, Tx
from meterai.plumbing.db.rows import RowMapper
from meterai.stamps.model import Issuing, Lot, LotTold, StampRecord, StampState, StampTold

_TAKE_LEASE = """
INSERT INTO serial_leases (lease, holder, held_until)
SELECT free.lease, %s, now() + make_interval(secs => %s)
FROM (SELECT number::smallint AS lease FROM generate_series(0, 1022) AS number
      WHERE NOT EXISTS (SELECT 1 FROM serial_leases l
                        WHERE l.lease = number AND l.held_until > now())
      ORDER BY random() LIMIT 1) AS free
ON CONFLICT ON CONSTRAINT serial_leases_pkey DO UPDATE
SET holder = excluded.holder, held_until = excluded.held_until
WHERE serial_leases.held_until <= now()
RETURNING lease
"""
_KEEP_LEASE = """
UPDATE serial_leases SET held_until = now() + make_interval(secs => %s)
WHERE lease = %s AND holder = %s AND held_until > now()
RETURNING lease
"""
_STAMP = "SELECT account_id AS account, stamping_id AS stamping, state, affixed_at FROM stamps"
# A serial is entered into the directory soon after it is made; until then only the table `stamps` has it.
OWNERS = """
SELECT account_id FROM serial_directory WHERE serial = %s UNION SELECT account_id FROM stamps WHERE serial = %s LIMIT 2
"""
_TOLD = """
SELECT s.account_id AS account, s.serial, s.stamping_id AS stamping, s.lot_id AS lot, l.issued_at, s.reserved_at,
    s.affixed_at, s.voided_at
FROM stamps s LEFT JOIN stamp_lots l USING (account_id, lot_id)
"""
_LOTS = RowMapper(Lot)
_LOTS_TOLD = RowMapper(LotTold)
_STAMPS_TOLD = RowMapper(StampTold)
_STAMPS = RowMapper(StampRecord)
_ISSUING = RowMapper(Issuing)


async def take_lease(tx: Tx, holder: UUID, seconds: float) -> int | None:
    """Lease a free process number for `seconds`; None if another process took the same number first, or if no number is
    free.
    """
    lease = await tx.value(_TAKE_LEASE, holder, seconds)
    assert lease is None or isinstance(lease, int)
    return lease


async def keep_lease(tx: Tx, lease: int, holder: UUID, seconds: float) -> bool:
    """Extend the lease of a process number to `seconds` from now; False if the holder lost the lease."""
    return await tx.value(_KEEP_LEASE, seconds, lease, holder) is not None


async def used(tx: ReadTx, account: UUID) -> int:
    """The number of affixed stamps of an account, from all of its orders."""
    found = await tx.value(
        "SELECT coalesce(sum(affixed), 0)::bigint FROM stamp_lots WHERE account_id = %s", account
    )
    assert isinstance(found, int)
    return found


async def unused_lots(tx: ReadTx, account: UUID) -> list[UUID]:
    """The ids of the orders of an account that have unused stamps."""
    found = await tx.value(
        "SELECT coalesce(array_agg(lot_id), '{}') FROM stamp_lots WHERE account_id = %s"
        " AND issued > held + affixed + returned",
        account,
    )
    assert isinstance(found, list)
    return found


async def lots(tx: ReadTx, account: UUID, orders: Sequence[UUID]) -> list[Lot]:
    """The lots of these orders: for each order, counts of its stamps."""
    return await tx.all_as(
        _LOTS,
        "SELECT lot_id AS order, issued, held, affixed, returned FROM stamp_lots"
        " WHERE account_id = %s AND lot_id = ANY (%s)",
        account,
        list(orders),
    )


async def serials_of(tx: ReadTx, account: UUID, stamping: UUID) -> list[Serial]:
    """Serials of a stamping in the order of its placements."""
    rows = await tx.all(
        "SELECT serial FROM stamps WHERE account_id = %s AND stamping_id = %s ORDER BY position",
        account,
        stamping,
    )
    return [Serial(row["serial"]) for row in rows]


async def serials_of_each(
    tx: ReadTx, account: UUID, stampings: Sequence[UUID]
) -> Mapping[UUID, tuple[str, ...]]:
    """Serials of stampings, each in the order of its placements."""
    rows = await tx.all(
        "SELECT stamping_id, array_agg(serial ORDER BY position) AS serials FROM stamps"
        " WHERE account_id = %s AND stamping_id = ANY (%s) GROUP BY stamping_id",
        account,
        list(stampings),
    )
    return {row["stamping_id"]: tuple(row["serials"]) for row in rows}


async def directory_entry(tx: ReadTx, serial: str) -> UUID | None:
    """The account of a serial from the directory of serials; None if the serial is not in the directory (yet)."""
    found = await tx.value("SELECT account_id FROM serial_directory WHERE serial = %s", serial)
    assert found is None or isinstance(found, UUID)
    return found


async def stamp(tx: ReadTx, account: UUID, serial: str) -> StampRecord | None:
    """The stamp record of a serial of this account; None if the account has no such stamp."""
    return await tx.one_as(
        _STAMPS, f"{_STAMP} WHERE account_id = %s AND serial = %s", account, serial
    )


async def stamp_anywhere(tx: ReadTx, serial: str) -> StampRecord | None:
    """The stamp record of a serial, searched in all accounts, since the directory of serials may not contain the serial yet."""
    return await tx.one_as(_STAMPS, f"{_STAMP} WHERE serial = %s", serial)


class _NamedStamp(NamedTuple):
    serial: str
    account: UUID
    stamping: UUID
    state: StampState
    affixed_at: datetime | None


_NAMED_STAMPS = RowMapper(_NamedStamp)
_NAMED = (
    "SELECT serial, account_id AS account, stamping_id AS stamping, state, affixed_at FROM stamps"
)
_OF_ACCOUNTS = (
    f"{_NAMED} WHERE (account_id, serial) IN (SELECT * FROM unnest(%s::uuid[], %s::text[]))"  # noqa: S608 - a constant
)
_ANYWHERE = f"{_NAMED} WHERE serial = ANY (%s)"


async def directory_entries(tx: ReadTx, serials: Sequence[str]) -> Mapping[str, UUID]:
    """The accounts of these serials, by serial; a serial that is not in the directory has no entry."""
    found = await tx.all(
        "SELECT serial, account_id FROM serial_directory WHERE serial = ANY (%s)", list(serials)
    )
    return {row["serial"]: row["account_id"] for row in found}


async def stamps_of(tx: ReadTx, owners: Mapping[str, UUID]) -> Mapping[str, StampRecord]:
    """The stamp records of serials, by serial; `owners` maps each serial to its account."""
    found = await tx.all_as(
        _NAMED_STAMPS,
        _OF_ACCOUNTS,
        list(owners.values()),
        list(owners),
    )
    return {one.serial: StampRecord(*one[1:]) for one in found}


async def stamps_anywhere(tx: ReadTx, serials: Sequence[str]) -> Mapping[str, StampRecord]:
    """The stamp records of serials, by serial, searched in all accounts, since the directory may not contain the serials yet."""
    found = await tx.all_as(_NAMED_STAMPS, _ANYWHERE, list(serials))
    return {one.serial: StampRecord(*one[1:]) for one in found}


async def enter_directory(tx: Tx, account: UUID, *stampings: UUID) -> None:
    """Enter the serials of stampings into the directory of serials."""
    # No ON CONFLICT: a serial that the directory has for another account must raise an error, not update the row.
    await tx.run(
        "INSERT INTO serial_directory (serial, account_id)"
        " SELECT serial, account_id FROM stamps s WHERE account_id = %s AND stamping_id = ANY (%s)"
        " AND NOT EXISTS (SELECT 1 FROM serial_directory d"
        "                 WHERE d.serial = s.serial AND d.account_id = s.account_id)",
        account,
        list(stampings),
    )


async def lot_and_issuing(tx: ReadTx, account: UUID, order: UUID) -> tuple[Lot | None, Issuing]:
    """Return the lot of an order (counts of its stamps), and the state of issuing.

    The lot is None if no stamps were issued for the order.
    """
    row = await tx.one(
        "SELECT i.is_open, i.reason, l.issued, l.held, l.affixed, l.returned FROM issuing i"
        " LEFT JOIN stamp_lots l ON l.account_id = %s AND l.lot_id = %s",
        account,
        order,
    )
    assert row is not None
    is_open, reason, issued, *places = row.values()
    return None if issued is None else Lot(order, issued, *places), Issuing(is_open, reason)


async def issuing(tx: ReadTx) -> Issuing:
    """The state of issuing stamps: open, or stopped with a reason."""
    found = await tx.one_as(_ISSUING, "SELECT is_open, reason FROM issuing")
    assert found is not None
    return found


async def set_issuing(tx: Tx, *, is_open: bool, reason: str) -> None:
    """Open or stop the issuing of stamps."""
    await tx.run(
        "UPDATE issuing SET is_open = %s, reason = %s, changed_at = now()", is_open, reason
    )


async def owners(tx: ReadTx, serial: str) -> list[UUID]:
    """A list with the account of a serial; empty if the serial was never issued."""
    return [row["account_id"] for row in await tx.all(OWNERS, serial, serial)]


async def stamp_told(tx: ReadTx, account: UUID, serial: str) -> StampTold | None:
    """One stamp of an account and its history; None if the account has no such serial."""
    return await tx.one_as(
        _STAMPS_TOLD, f"{_TOLD} WHERE s.account_id = %s AND s.serial = %s", account, serial
    )


async def stamps_told(tx: ReadTx, account: UUID, stampings: Sequence[UUID]) -> list[StampTold]:
    """The stamps of these stampings with their history; void stamps are included."""
    return await tx.all_as(
        _STAMPS_TOLD,
        f"{_TOLD} WHERE s.account_id = %s AND s.stamping_id = ANY (%s) ORDER BY s.position",
        account,
        list(stampings),
    )


async def lot_told(tx: ReadTx, account: UUID, order: UUID) -> LotTold | None:
    """The number of stamps issued for an order, and the time of issue; None if no stamps were issued."""
    return await tx.one_as(
        _LOTS_TOLD,
        "SELECT issued, issued_at AS at FROM stamp_lots WHERE account_id = %s AND lot_id = %s",
        account,
        order,
    )
