"""Invariants of the books, as queries that select every violation."""

from collections.abc import Sequence

from meterai.plumbing.db.invariants import Invariant, Posting

INVARIANTS = (
    Invariant(
        "books_balance_per_unit",
        "Every entry has legs, and they balance in each unit.",
        """
        SELECT e.account_id, e.entry_id, l.unit, sum(l.credit - l.debit) AS difference
        FROM {entries} e LEFT JOIN {legs?} l USING (account_id, entry_id)
        GROUP BY e.account_id, e.entry_id, l.unit
        HAVING sum(l.credit - l.debit) IS DISTINCT FROM 0
        """,
    ),
    Invariant(
        "leg_is_of_an_entry_in_its_unit",
        "Every leg belongs to an entry, is either a debit or a credit, and has the unit of its "
        "book.",
        """
        SELECT l.account_id, l.entry_id, l.book, l.unit, l.debit, l.credit
        FROM {legs*} l LEFT JOIN {entries?} e
            ON e.account_id = l.account_id AND e.entry_id = l.entry_id
        WHERE e.entry_id IS NULL OR l.unit IS DISTINCT FROM unit_of(l.book)
            OR l.debit < 0 OR l.credit < 0 OR (l.debit > 0) = (l.credit > 0)
        """,
    ),
    Invariant(
        "balances_are_the_sums_of_their_legs",
        "Every guarded balance is the sum of its legs.",
        """
        SELECT account_id, book, sum(posted) AS posted, sum(total) AS total FROM (
            SELECT account_id, book, posted, 0 AS total FROM {balances*} b
            UNION ALL
            SELECT account_id, book, 0, credit - debit FROM {legs*} l WHERE is_guarded(book)
        ) sides
        GROUP BY account_id, book HAVING sum(posted) <> sum(total)
        """,
    ),
    Invariant(
        "no_balance_below_zero",
        "No guarded balance less its holds is below zero.",
        "SELECT account_id, book, posted, held FROM {balances*} b WHERE posted < held OR held < 0",
    ),
    Invariant(
        "held_is_the_sum_of_open_holds",
        "The held amount of a balance is the sum of its open holds.",
        """
        SELECT account_id, book, sum(held) AS held, sum(total) AS total FROM (
            SELECT account_id, book, held, 0 AS total FROM {balances*} b
            UNION ALL
            SELECT account_id, book, 0, amount FROM {holds*} h WHERE state = 'held'
        ) sides
        GROUP BY account_id, book HAVING sum(held) <> sum(total)
        """,
    ),
)


def explained(postings: Sequence[Posting]) -> Invariant:
    """Return the invariant that the ledger has exactly the entries that all posting rules together derive from their causes.
    Its query finds a cause without its entry, an entry without a cause, a missing or additional leg, and any difference in id,
    reason, subject, time, book or amount.
    """
    causes = "\nUNION ALL\n".join(posting.query for posting in postings)
    return Invariant(
        "entries_are_what_their_causes_make",
        "Every entry has exactly the legs that its cause requires, and every cause has its entry.",
        f"""
        SELECT account_id, entry_id, reason, subject, posted_at, book,
               coalesce(sum(amount) FILTER (WHERE is_due), 0) AS due,
               coalesce(sum(amount) FILTER (WHERE NOT is_due), 0) AS posted
        FROM (
            SELECT c.account_id, c.entry_id, c.reason, c.subject, c.posted_at, leg.book,
                   leg.amount::numeric, true AS is_due
            FROM ({causes}) AS c (account_id, entry_id, reason, subject, posted_at, books, amounts),
                 unnest(c.books, c.amounts) AS leg (book, amount)
            WHERE leg.amount <> 0
            UNION ALL
            SELECT e.account_id, e.entry_id, e.reason, e.subject, e.posted_at, l.book,
                   (l.credit - l.debit)::numeric, false
            FROM {{entries}} e LEFT JOIN {{legs?}} l USING (account_id, entry_id)
        ) AS sides
        GROUP BY account_id, entry_id, reason, subject, posted_at, book
        HAVING count(*) <> 2 OR count(*) FILTER (WHERE is_due) <> 1
            OR sum(amount) FILTER (WHERE is_due) IS DISTINCT FROM
               sum(amount) FILTER (WHERE NOT is_due)
        """,
    )
