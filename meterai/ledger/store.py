"""SQL of the ledger, one function per question."""

from uuid import UUID

from meterai.plumbing.database import Row, Tx


async def books_of_subjects(tx: Tx, account: UUID, subjects: list[UUID]) -> list[Row]:
    """(subject, book, debits, credits) over the entries of orders; settled refunds apart."""
    return await tx.all(
        "SELECT e.subject, CASE WHEN e.reason = 'refund_settled' AND l.book = 'bank_clearing'"
        "  THEN 'refunded' ELSE l.book END AS book,"
        " sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = ANY(%s) AND l.unit = 'IDR' GROUP BY 1, 2",
        account,
        subjects,
    )


async def balance(tx: Tx, account: UUID, book: str) -> Row | None:
    """Posted and held of one guarded book."""
    return await tx.one(
        "SELECT posted, held FROM balances WHERE account_id = %s AND book = %s", account, book
    )
