"""The SQL of the guest book."""

from uuid import UUID

from meterai.plumbing.db.database import ReadTx, Tx


async def enter(tx: Tx, account: UUID, guest: UUID, name: str) -> None:
    """Enter a guest."""
    await tx.run("SELECT guest_enter(%s, %s, %s)", account, guest, name)


async def welcome(tx: Tx, account: UUID, guest: UUID) -> None:
    """Welcome a guest. A repeat changes nothing."""
    await tx.run(
        "UPDATE guests SET welcomes = welcomes + 1 WHERE account_id = %s AND guest_id = %s"
        " AND welcomes = 0",
        account,
        guest,
    )


async def names(tx: ReadTx, account: UUID, most: int) -> list[str]:
    """Names in the book, newest first."""
    rows = await tx.all(
        "SELECT name FROM guests WHERE account_id = %s ORDER BY guest_id DESC LIMIT %s",
        account,
        most,
    )
    return [row["name"] for row in rows]
