"""SQL of the ledger, one function per question."""

from uuid import UUID

from meterai.plumbing.database import ReadTx, Row


async def books_of_subjects(tx: ReadTx, account: UUID, subjects: list[UUID]) -> list[Row]:
    """(subject, book, debits, credits, last) over the entries of orders.

    What left the provider's account has names of its own: 'refunded' and 'charged_back'.
    """
    return await tx.all(
        "SELECT e.subject, CASE WHEN l.book <> 'bank_clearing' THEN l.book"
        "  WHEN e.reason IN ('refund_settled', 'payment_given_back') THEN 'refunded'"
        "  WHEN e.reason = 'payment_denied' THEN 'charged_back' ELSE l.book END AS book,"
        " sum(l.debit)::bigint AS debit, sum(l.credit)::bigint AS credit,"
        " max(e.posted_at) AS last"
        " FROM entries e JOIN legs l USING (account_id, entry_id)"
        " WHERE e.account_id = %s AND e.subject = ANY(%s) AND l.unit = 'IDR' GROUP BY 1, 2",
        account,
        subjects,
    )


async def balance(tx: ReadTx, account: UUID, book: str) -> Row | None:
    """Posted and held of one guarded book."""
    return await tx.one(
        "SELECT posted, held FROM balances WHERE account_id = %s AND book = %s", account, book
    )
