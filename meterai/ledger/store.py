"""SQL of the ledger, one function per question."""

from uuid import UUID

from meterai.plumbing.database import Row, Tx


async def books_of_subject(tx: Tx, account: UUID, subject: UUID) -> list[Row]:
    """(book, debits, credits) over the entries of one order; settled refunds apart."""
    return await tx.all(
        "SELECT l.book, sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = %s AND l.unit = 'IDR' GROUP BY l.book"
        " UNION ALL"
        " SELECT 'refunded', 0, coalesce(sum(l.credit), 0)::bigint"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = %s AND e.reason = 'refund_settled'"
        " AND l.book = 'bank_clearing'",
        account,
        subject,
        account,
        subject,
    )


async def balance(tx: Tx, account: UUID, book: str) -> Row | None:
    """Posted and held of one guarded book."""
    return await tx.one(
        "SELECT posted, held FROM balances WHERE account_id = %s AND book = %s", account, book
    )
