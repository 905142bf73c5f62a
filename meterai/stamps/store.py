"""SQL of stamps, one function per question."""

from uuid import UUID

from meterai.plumbing.database import ReadTx, Row, Tx

TAKE_LEASE = """
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
KEEP_LEASE = """
UPDATE serial_leases SET held_until = now() + make_interval(secs => %s)
WHERE lease = %s AND holder = %s AND held_until > now()
RETURNING lease
"""


async def used(tx: ReadTx, account: UUID) -> int:
    """Stamps of the account that are on documents, however they were bought."""
    found = await tx.value(
        "SELECT coalesce(sum(affixed), 0)::bigint FROM stamp_lots WHERE account_id = %s", account
    )
    assert isinstance(found, int)
    return found


async def lot(tx: ReadTx, account: UUID, lot_id: UUID) -> Row | None:
    """Where the stamps of one order are."""
    return await tx.one(
        "SELECT issued, held, affixed, returned FROM stamp_lots"
        " WHERE account_id = %s AND lot_id = %s",
        account,
        lot_id,
    )


async def serials_of(tx: ReadTx, account: UUID, stamping: UUID) -> list[Row]:
    """Serials of a stamping in the order of its placements."""
    return await tx.all(
        "SELECT serial, state FROM stamps WHERE account_id = %s AND stamping_id = %s"
        " ORDER BY position",
        account,
        stamping,
    )


async def directory_entry(tx: ReadTx, serial: str) -> UUID | None:
    """The account whose serial this is; None where it is not in the directory (yet)."""
    found = await tx.value("SELECT account_id FROM serial_directory WHERE serial = %s", serial)
    assert found is None or isinstance(found, UUID)
    return found


async def stamp(tx: ReadTx, account: UUID, serial: str) -> Row | None:
    """One stamp of a known account."""
    return await tx.one(
        "SELECT account_id, stamping_id, state, affixed_at FROM stamps"
        " WHERE account_id = %s AND serial = %s",
        account,
        serial,
    )


async def stamp_anywhere(tx: ReadTx, serial: str) -> Row | None:
    """One stamp, searched in all accounts: for serials that are not in the directory yet."""
    return await tx.one(
        "SELECT account_id, stamping_id, state, affixed_at FROM stamps WHERE serial = %s", serial
    )


async def enter_directory(tx: Tx, account: UUID, stamping: UUID) -> None:
    """Enter the serials of a stamping into the directory."""
    # No ON CONFLICT for other accounts: a serial that somebody else has is a fault that must
    # be seen, not an update.
    await tx.run(
        "INSERT INTO serial_directory (serial, account_id)"
        " SELECT serial, account_id FROM stamps s WHERE account_id = %s AND stamping_id = %s"
        " AND NOT EXISTS (SELECT 1 FROM serial_directory d"
        "                 WHERE d.serial = s.serial AND d.account_id = s.account_id)",
        account,
        stamping,
    )


async def issuing(tx: ReadTx) -> Row:
    """Whether stamps are being issued, since when, and why not."""
    row = await tx.one("SELECT is_open, reason, changed_at FROM issuing")
    assert row is not None
    return row


async def set_issuing(tx: Tx, *, is_open: bool, reason: str) -> None:
    """Open or stop issuing."""
    await tx.run(
        "UPDATE issuing SET is_open = %s, reason = %s, changed_at = now()", is_open, reason
    )
